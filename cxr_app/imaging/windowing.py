"""Windows: how they map values to brightness, and which ones a film offers its reader.

`pixels` applies the polarity.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydicom import DataElement, Dataset
from pydicom.pixels.processing import apply_windowing

from cxr_app.errors import PixelDataError
from cxr_app.imaging.dicom_values import items, numbers, text, texts
from cxr_app.imaging.lut import LookupTable
from cxr_app.radiograph import Softcopy, VOILUTFunction, Window

FULL_RANGE = "Full range"
_SAMPLES = 65_536


def brightness(window: Window, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map values to brightness, before polarity.

    Parameters
    ----------
    window
        How to map them; its `lut` is used if it has one.
    values
        In the units of the Modality LUT's output, any shape.

    Returns
    -------
    NDArray[np.float64]
        Of the same shape, in ``[0, 1]``.

    References
    ----------
    DICOM PS3.3 C.11.2.1.
    """
    if window.lut:
        low, width = window.window_center - window.window_width / 2, window.window_width
        positions = low + width * np.linspace(0.0, 1.0, len(window.lut))
        return np.interp(values, positions, window.lut)
    with np.errstate(over="ignore"):  # far outside a sigmoid: infinite exponent, brightness 0
        return np.asarray(apply_windowing(values, _as_dataset(window)) / 65_535.0)


@functools.lru_cache(maxsize=64)
def _as_dataset(window: Window) -> Dataset:
    """Return a window as pydicom takes it, with an output range of 0 to 65,535.

    Kept, since most films have one of few windows; it is only read.
    """
    ds = Dataset()
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsStored = 16
    ds.PixelRepresentation = 0
    ds.VOILUTFunction = window.function.value
    # FD, because DS has no room for all digits.
    ds.add(DataElement(0x00281050, "FD", window.window_center))
    ds.add(DataElement(0x00281051, "FD", window.window_width))
    return ds


def windows_of(
    ds: Dataset, ends: tuple[float, float] | None = None
) -> tuple[tuple[Window, ...], tuple[str, ...]]:
    """Read the windows of a dataset, and remarks on meaningless ones.

    VOI LUTs come before windows, each group in the file's order; the first one is how the film
    is meant to be shown. A dataset may have none.

    Parameters
    ----------
    ds
        The dataset.
    ends
        The film's smallest and largest value after the Modality LUT. A window in which no pixel
        lies shows nothing, and is left out with a remark. None if they are unknown.

    References
    ----------
    DICOM PS3.3 C.11.2 and C.8.11.3.1.5.
    """
    tables, table_remarks = _voi_luts(ds, ends)
    windows, window_remarks = _windows(ds)
    found = (*tables, *windows)
    kept = tuple(window for window in found if ends is None or _shows(window, *ends))
    remarks = (*table_remarks, *window_remarks)
    if len(kept) < len(found):
        remarks = (*remarks, "No pixel lies in a window of the file, which was ignored.")
    return kept, remarks


def _shows(window: Window, low: float, high: float) -> bool:
    """Check whether a film between two values has anything within a window.

    The standard defines what a VOI LUT shows beyond its ends: its nearest entry.
    """
    if low == high or window.lut:
        return True
    reach = window.window_width / 2
    if window.function is VOILUTFunction.SIGMOID:
        reach *= 2  # black and white to 0.02 there
    return low < window.window_center + reach and high > window.window_center - reach


def _voi_luts(ds: Dataset, ends: tuple[float, float] | None) -> tuple[list[Window], list[str]]:
    windows: list[Window] = []
    remarks: list[str] = []
    may_be_negative = ends is not None and ends[0] < 0
    for item in items(ds, "VOILUTSequence"):
        try:
            table = LookupTable.read(item, ds, signed=may_be_negative)
        except PixelDataError:
            remarks.append("A VOI LUT of the file is damaged and was ignored.")
            continue
        name = text(item, "LUTExplanation") or "VOI LUT"
        centre = table.first + (len(table.entries) - 1) / 2
        width = max(1.0, float(len(table.entries) - 1))
        lut = tuple((table.entries / table.highest).clip(0.0, 1.0).tolist())
        windows.append(Window(name, centre, width, lut=lut))
    return windows, remarks


def _windows(ds: Dataset) -> tuple[list[Window], list[str]]:
    name = text(ds, "VOILUTFunction").upper() or "LINEAR"
    remarks = []
    if name not in VOILUTFunction.__members__:
        remarks.append("The file's VOI LUT Function is unknown: its windows are applied linearly.")
    function = VOILUTFunction.__members__.get(name, VOILUTFunction.LINEAR)
    pairs = list(zip(numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth"), strict=False))
    names = texts(ds, "WindowCenterWidthExplanation")
    windows = [
        Window((names[i] if i < len(names) else "") or "Window of the file", *pair, function)
        for i, pair in enumerate(pairs)
        if is_legal(*pair, function)
    ]
    if len(windows) < len(pairs):
        remarks.append("A window of the file has no legal centre and width and was ignored.")
    return windows, remarks


def is_legal(window_center: float, window_width: float, function: VOILUTFunction) -> bool:
    """Check whether the standard defines this window.

    References
    ----------
    DICOM PS3.3 C.11.2.1.2.1 and C.11.2.1.3.
    """
    if not (math.isfinite(window_center) and math.isfinite(window_width)):
        return False
    if max(abs(window_center), window_width) > 1e12:
        return False
    return window_width >= 1 if function is VOILUTFunction.LINEAR else window_width > 1e-12


def spanning(name: str, low: float, high: float) -> Window:
    """Return the window that shows `low` black and `high` white, before polarity."""
    return Window(name, (low + high) / 2, high - low, VOILUTFunction.LINEAR_EXACT)


def presets(film: Softcopy) -> tuple[Window, ...]:
    """Return windows derived from the film's own range of values, each named by its effect.

    They are shares of the range between its 1st and 99th percentile. Absolute windows are
    impossible, because a radiograph has no units in which lung or bone has a fixed value. What is
    hidden does not count. A film with a single value gets none.
    """
    stride = max(1, math.isqrt(film.values.size // _SAMPLES))
    values = film.values[::stride, ::stride]
    if film.hidden is not None:
        values = values[~film.hidden[::stride, ::stride]]
    if not values.size:
        return ()
    low, high = (film.origin + film.step * p for p in np.percentile(values, (1, 99)))
    spread = float(high - low)
    if spread <= 0:
        return ()

    def share(name: str, start: float, end: float) -> Window:
        """Return the window of a share of the film's greys, counted from dark to bright."""
        if film.inverted:
            start, end = 1 - end, 1 - start
        return spanning(name, low + start * spread, low + end * spread)

    return (
        share("This film, 1st to 99th percentile", 0.0, 1.0),
        share("Lung: darker half of this film", 0.0, 0.5),
        share("Soft tissue: middle half of this film", 0.25, 0.75),
        share("Bone: brighter half of this film", 0.5, 1.0),
    )


def without_repeats(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Drop windows that show the same as an earlier one, and number those of equal name."""
    kept: dict[tuple[object, ...], Window] = {}
    names: dict[str, int] = {}
    for window in windows:
        key = (window.window_center, window.window_width, window.function, window.lut)
        if key in kept:
            continue
        names[window.name] = count = names.get(window.name, 0) + 1
        kept[key] = replace(window, name=window.name + (f" ({count})" if count > 1 else ""))
    return tuple(kept.values())
