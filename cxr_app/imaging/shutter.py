"""The display shutter: what its sender hid of a film.

It is applied after windowing and polarity, before anything looks at the film.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw
from pydicom import Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.aspect import aspect_ratio
from cxr_app.imaging.dicom_values import element_value, integer, number, numbers, texts
from cxr_app.radiograph import Softcopy

HiddenPixels = NDArray[np.bool_]
"""Shape ``(rows, columns)``; true where a film is hidden."""

DAMAGED = "The file's display shutter is damaged and was ignored."
COVERS_ALL = "The file's display shutter hides the whole film and was ignored."

_WHITE = 65_535
_FARTHEST = 100_000
_MOST_VERTICES = 10_000


@dataclass(frozen=True, slots=True)
class Shutter:
    """What hides a part of a film.

    Parameters
    ----------
    hidden
        The part.
    brightness
        How it is shown, in ``[0, 1]``; 0 is black.
    """

    hidden: HiddenPixels
    brightness: float


def shutter_of(ds: Dataset, shape: tuple[int, ...]) -> tuple[Shutter | None, tuple[str, ...]]:
    """Read the display shutter of a data set, and remarks on a meaningless one.

    Several shapes hide what any of them hides. An edge belongs to what is hidden. Without
    (0018,1622) *Shutter Presentation Value* it is black.

    Parameters
    ----------
    ds
        The data set.
    shape
        Rows and columns of the decoded film; a shutter of another film is meaningless.

    References
    ----------
    DICOM PS3.3 C.7.6.11 and C.7.6.15.
    """
    shapes = [shape.upper() for shape in texts(ds, "ShutterShape") if shape]
    if not shapes:
        return None, ()
    try:
        hidden = np.zeros((ds.Rows, ds.Columns), dtype=np.bool_)
        for name in shapes:
            hidden |= _SHAPES[name](ds)
    except (KeyError, PixelDataError):
        return None, (DAMAGED,)
    if hidden.shape != shape:
        return None, (DAMAGED,)
    if hidden.all():
        return None, (COVERS_ALL,)
    return (Shutter(hidden, _brightness(ds)) if hidden.any() else None), ()


def occlude(softcopy: Softcopy, shutter: Shutter) -> Softcopy:
    """Hide what a shutter hides; its values get that brightness in the film's own window, too."""
    window, shown = softcopy.windows[0], shutter.brightness
    share = 1.0 - shown if softcopy.inverted else shown
    wanted = window.window_center + (share - 0.5) * window.window_width
    place = (wanted - softcopy.origin) / softcopy.step
    place = int(np.clip(np.ceil(place) if share > 0.5 else np.floor(place), -_WHITE, _WHITE))
    values, origin = softcopy.values, softcopy.origin
    if place < 0:
        visible = values[~shutter.hidden]
        shift = min(-place, _WHITE - int(visible.max()))
        values, origin, place = values + np.uint16(shift), origin - shift * softcopy.step, 0
    values = np.where(shutter.hidden, np.uint16(place), values)
    return replace(
        softcopy,
        values=values,
        origin=origin,
        hidden=shutter.hidden,
        hidden_brightness=shown,
    )


def shutter_overlay(ds: Dataset) -> int | None:
    """Return the overlay group that holds a bitmap shutter; None if there is none."""
    group = integer(ds, "ShutterOverlayGroup")
    is_bitmap = "BITMAP" in (shape.upper() for shape in texts(ds, "ShutterShape"))
    return group if is_bitmap and group is not None and 0x6000 <= group <= 0x60FF else None


def _brightness(ds: Dataset) -> float:
    shown = number(ds, "ShutterPresentationValue")
    if shown is None:
        lab = numbers(ds, "ShutterPresentationColorCIELabValue")
        shown = lab[0] if lab and np.isfinite(lab[0]) else 0.0  # L* of 0 to 100 %
    return float(np.clip(shown / _WHITE, 0.0, 1.0))


def _rectangular(ds: Dataset) -> HiddenPixels:
    edges = [
        number(ds, f"Shutter{edge}Edge")
        for edge in ("UpperHorizontal", "LowerHorizontal", "LeftVertical", "RightVertical")
    ]
    top, bottom, left, right = _all_known(edges)
    rows, columns = _places(ds)
    return (rows <= top) | (rows >= bottom) | (columns <= left) | (columns >= right)


def _circular(ds: Dataset) -> HiddenPixels:
    """Return what lies outside a circle; its radius counts pixels along a row."""
    radius = number(ds, "RadiusOfCircularShutter")
    centre = numbers(ds, "CenterOfCircularShutter")
    if radius is None or radius <= 0 or len(centre) != 2 or not np.isfinite(centre).all():
        raise PixelDataError(DAMAGED)
    rows, columns = _places(ds)
    down = (rows - centre[0]) * aspect_ratio(ds)
    return np.asarray(down**2 + (columns - centre[1]) ** 2 > radius**2)


def _polygonal(ds: Dataset) -> HiddenPixels:
    numbers_found = numbers(ds, "VerticesOfThePolygonalShutter")
    count = len(numbers_found)
    if not 6 <= count <= _MOST_VERTICES or count % 2 or not np.isfinite(numbers_found).all():
        raise PixelDataError(DAMAGED)
    places = np.clip(np.array(numbers_found).reshape(-1, 2) - 1, -_FARTHEST, _FARTHEST)
    image = PillowImage.new("L", (ds.Columns, ds.Rows), 1)
    corners = [(float(column), float(row)) for row, column in places]
    ImageDraw.Draw(image).polygon(corners, fill=0, outline=1)
    return np.asarray(image).astype(np.bool_)


def _bitmap(ds: Dataset) -> HiddenPixels:
    """Return the pixels whose bit is set in an overlay of the file."""
    group = shutter_overlay(ds)
    if group is None:
        raise PixelDataError(DAMAGED)
    rows, columns = (element_value(ds, group, place) for place in (0x0010, 0x0011))
    origin, data = (element_value(ds, group, place) for place in (0x0050, 0x3000))
    try:
        top, left = (int(edge) - 1 for edge in origin)
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        overlay = bits[: rows * columns].reshape(rows, columns).astype(np.bool_)
    except (TypeError, ValueError) as error:
        raise PixelDataError(DAMAGED) from error
    hidden = np.zeros((ds.Rows, ds.Columns), dtype=np.bool_)
    within = overlay[max(0, -top) :, max(0, -left) :]
    target = hidden[max(0, top) :, max(0, left) :]
    height, width = (min(sides) for sides in zip(within.shape, target.shape, strict=True))
    target[:height, :width] = within[:height, :width]
    return hidden


def _places(ds: Dataset) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return row and column of each pixel, counted from 1."""
    rows = np.arange(1, ds.Rows + 1, dtype=np.float32)[:, None]
    return rows, np.arange(1, ds.Columns + 1, dtype=np.float32)[None, :]


def _all_known(found: list[float | None]) -> list[float]:
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        raise PixelDataError(DAMAGED)
    return known


_SHAPES: dict[str, Callable[[Dataset], HiddenPixels]] = {
    "RECTANGULAR": _rectangular,
    "CIRCULAR": _circular,
    "POLYGONAL": _polygonal,
    "BITMAP": _bitmap,
}
