"""Stored values to grey values: Modality LUT, then VOI LUT or window, then polarity, in that order.

Everything is computed for a table of the values that occur (at most 65,536) and then looked up for
each pixel, so that a film takes one pass and no copy in double precision. `dicom_decoding` decodes
the pixels; the elements that describe them are read here.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from cxr_app.errors import PixelDataError, raise_shortage
from cxr_app.imaging.aspect import aspect_ratio
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, integer, text
from cxr_app.imaging.lut import LookupTable
from cxr_app.imaging.modality_lut import modality_lut
from cxr_app.imaging.orientation import turn_needed
from cxr_app.imaging.padding import without_padding
from cxr_app.imaging.shutter import HiddenPixels, occlude, shutter_of
from cxr_app.imaging.stored_bits import PixelArray
from cxr_app.imaging.windowing import (
    FULL_RANGE,
    brightness,
    spanning,
    windows_of,
    without_repeats,
)
from cxr_app.radiograph import Image, Softcopy, Values, Window

LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601-7, 2.5.1
_COLOURFUL = 0.1  # of the range between the strongest and the weakest channel
_ROWS_AT_ONCE = 64

GreyLevels = NDArray[np.uint8]
"""Shape ``(rows, columns)``; 255 is the densest tissue."""
Number = TypeVar("Number", np.float32, np.uint8)


def to_image(softcopy: Softcopy, window: Window | None = None) -> Image:
    """Render a film as a radiologist views it: bone bright, air dark.

    Parameters
    ----------
    softcopy
        The film.
    window
        How to show it; by default its own window, the first of `softcopy.windows`.

    Returns
    -------
    Image
        1 is the densest tissue whatever the (0028,0004) *Photometric Interpretation*.

    References
    ----------
    DICOM PS3.3 C.11.1, C.11.2, C.7.6.3.1.2; PS3.4 N.2.
    """
    image = _looked_up(_shown(softcopy, window or softcopy.windows[0]), softcopy.values)
    if softcopy.hidden is not None:
        image[softcopy.hidden] = softcopy.hidden_brightness
    return image


def to_grey_levels(softcopy: Softcopy) -> GreyLevels:
    """Render a film as `to_image` does, in 256 grey levels."""
    table = (_shown(softcopy, softcopy.windows[0]) * 255 + 0.5).astype(np.uint8)
    levels = _looked_up(table, softcopy.values)
    if softcopy.hidden is not None:
        levels[softcopy.hidden] = int(softcopy.hidden_brightness * 255 + 0.5)
    return levels


def _shown(softcopy: Softcopy, window: Window) -> NDArray[np.float32]:
    """Return how bright each value is in a window."""
    modality = softcopy.origin + softcopy.step * np.arange(int(softcopy.values.max()) + 1.0)
    shown = brightness(window, modality)
    table = (1.0 - shown if softcopy.inverted else shown).clip(0.0, 1.0)
    return np.asarray(table, dtype=np.float32)


def _looked_up(table: NDArray[Number], values: Values) -> NDArray[Number]:
    found = np.empty(values.shape, dtype=table.dtype)
    for row in range(0, len(values), _ROWS_AT_ONCE):  # keeps the array of 64-bit indices small
        block = slice(row, row + _ROWS_AT_ONCE)
        np.take(table, values[block], out=found[block], mode="clip")
    return found


def to_softcopy(pixel_array: PixelArray, ds: Dataset) -> Softcopy:
    """Apply the Modality LUT and collect the windows that a film's file gives it.

    Colour is reduced to luminance. Pixel padding gets the darkest value of the film. A film without
    a window is shown over its `full_range`. What a display shutter hides counts nowhere.

    Parameters
    ----------
    pixel_array
        Stored values, shape ``(rows, columns)``, or ``(rows, columns, samples)`` for a colour
        image in RGB.
    ds
        The dataset that they came from; it is not modified.

    Raises
    ------
    PixelDataError
        If a palette or the Modality LUT is damaged.

    References
    ----------
    DICOM PS3.3 C.7.6.3, C.7.5.1.1.2 (padding), C.11.1, C.11.2, C.11.6 (Presentation LUT Shape).
    """
    shutter, remarks = shutter_of(ds, pixel_array.shape[:2])
    if text(ds, "PhotometricInterpretation") == "PALETTE COLOR":
        pixel_array = _apply_palette(pixel_array, ds)
    if pixel_array.ndim == 3:
        softcopy = _colour_softcopy(pixel_array)
    else:
        hidden = shutter.hidden if shutter else None
        softcopy = _monochrome_softcopy(_native(pixel_array), ds, hidden)
    softcopy = replace(softcopy, remarks=(*softcopy.remarks, *remarks))
    return occlude(softcopy, shutter) if shutter else softcopy


def plain_softcopy(
    values: PixelArray, bits: int, colour_fraction: float = 0.0, remarks: tuple[str, ...] = ()
) -> Softcopy:
    """Return a film of unsigned values from a file that does not say how to show them.

    Parameters
    ----------
    values
        Unsigned, shape ``(rows, columns)``; small is dark.
    bits
        The number of bits that they are stored in.
    """
    low, high = full_range(int(values.min()), int(values.max()), bits, signed=False)
    own = spanning(FULL_RANGE, low, high)
    if values.dtype.itemsize > 2:
        shown, origin, step = _quantised(values.astype(np.float64), own)
    else:
        shown, origin, step = values.astype(np.uint16), 0.0, 1.0
    remarks = (
        *remarks,
        *half_range_remark(int(values.min()), int(values.max()), bits, signed=False),
    )
    if colour_fraction > 0:
        remarks = (*remarks, "The file holds a colour picture: only its brightness is shown.")
    return Softcopy(shown, origin, step, (own,), remarks=remarks, colour_fraction=colour_fraction)


def full_range(low: int, high: int, bits: int, *, signed: bool) -> tuple[int, int]:
    """Return the stored values shown black and white if the file has neither window nor LUT.

    This is the whole range of the stored bits, so that a picture looks the same in 8, 12 or 16
    bits. If the highest two bits are unused, as in a 12-bit film that claims 16 bits and would
    appear black, it is the range of the fewest bits (at least 8) that hold the film. It is never
    the film's own minimum and maximum: one bright letter would change every grey value.

    Parameters
    ----------
    low, high
        The film's smallest and largest stored value, without padding.
    bits
        (0028,0101) *Bits Stored*.
    signed
        Whether (0028,0103) *Pixel Representation* is 1.
    """
    if signed and low < 0:
        used = 1 + max((-1 - low).bit_length(), max(high, 0).bit_length())
        bits = max(used, 8) if used <= bits - 2 else bits
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    bits, used = bits - signed, high.bit_length()
    bits = max(used, 8) if max(used, 8) <= bits - 2 else bits
    return 0, 2**bits - 1


def half_range_remark(low: int, high: int, bits: int, *, signed: bool) -> tuple[str, ...]:
    """Return a remark if a film fills at most half of the range that it is shown over.

    `full_range` leaves a single unused bit alone, because a sound film may be that dark; a film of
    15 bits that claims 16 is then shown half as bright as it is meant.
    """
    dark, bright = full_range(low, high, bits, signed=signed)
    span = bright - dark
    if bits <= 8 or low == high or (signed and low < 0) or 2 * high > span:
        return ()
    return ("The film fills only the darker half of its range of greys: it may be too dark.",)


def may_be_averaged(ds: Dataset) -> bool:
    """Check whether stored values may be averaged: no palette, padding, sign, shutter or turn.

    Signed values are excluded because averaging may create a value below 0 in a film without one.
    """
    is_grey = text(ds, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
    unsigned = integer(ds, "PixelRepresentation") == 0
    is_whole = "PixelPaddingValue" not in ds and "ShutterShape" not in ds
    is_straight = aspect_ratio(ds) == 1.0 and turn_needed(ds) is None
    return is_grey and unsigned and is_whole and is_straight


def shows_range(averaged: PixelArray, ds: Dataset) -> bool:
    """Check whether an averaged film is shown with the same grey values as the film itself.

    Without a window, `full_range` depends on the number of bits of the largest value, which
    averaging may lower. If that value has all the bits nevertheless, the film has them too, or all
    but one, which gives the same range.
    """
    own, _ = windows_of(ds)
    return bool(own) or int(averaged.max()).bit_length() >= (integer(ds, "BitsStored") or 16)


def is_inverted(ds: Dataset) -> bool:
    """Check whether small values are dense, after the VOI LUT.

    MONOCHROME1 and a Presentation LUT Shape of INVERSE mean the same (DX requires both together),
    so one or both invert the film once.

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.2 and C.8.11.3.1.2.
    """
    monochrome1 = text(ds, "PhotometricInterpretation") == "MONOCHROME1"
    return monochrome1 or text(ds, "PresentationLUTShape").upper() == "INVERSE"


def colour_fraction(rgb: PixelArray) -> float:
    """Return the share of clearly coloured pixels of unsigned RGB, measured on a grid of pixels."""
    stride = max(1, min(rgb.shape[:2]) // 256)
    red, green, blue = np.moveaxis(rgb[::stride, ::stride], 2, 0)
    strongest = np.maximum(np.maximum(red, green), blue)
    spread = strongest - np.minimum(np.minimum(red, green), blue)
    return float(np.mean(spread > _COLOURFUL * np.iinfo(rgb.dtype).max))


def _monochrome_softcopy(stored: PixelArray, ds: Dataset, hidden: HiddenPixels | None) -> Softcopy:
    inverted = is_inverted(ds)
    table, (slope, intercept), remarks = modality_lut(ds)
    stored, low, high = without_padding(stored, ds, hidden, dark_is_high=inverted != (slope < 0))
    if table is not None:
        values = table.look_up(stored)
        origin, step, ends = 0.0, 1.0, (float(values.min()), float(values.max()))
    else:
        origin, step = intercept + slope * (low if slope > 0 else high), abs(slope)
        ends = (origin, origin + step * (high - low))
    own, window_remarks = windows_of(ds, ends)
    full = _full_window(low, high, ds, table, (slope, intercept))
    if table is None and np.issubdtype(stored.dtype, np.integer) and high - low < 65_536:
        values = _counted(stored, int(low), int(high), rising=slope > 0)
    elif table is None:
        modality = stored.astype(np.float64)
        modality *= slope
        modality += intercept
        values, origin, step = _quantised(modality, own[0] if own else full)
    windows = without_repeats((*own, full))
    if not own and table is None and isinstance(high, int):
        remarks = (*remarks, *_half_used(low, high, ds))
    remarks = (*remarks, *window_remarks, *_polarity_remarks(ds))
    return Softcopy(values, origin, step, windows, inverted, remarks)


def _polarity_remarks(ds: Dataset) -> tuple[str, ...]:
    shape = text(ds, "PresentationLUTShape").upper()
    if text(ds, "PhotometricInterpretation") == "MONOCHROME1" and shape == "IDENTITY":
        return (
            "The file contradicts itself: MONOCHROME1 with a Presentation LUT Shape of IDENTITY. "
            "It is shown as MONOCHROME1.",
        )
    return ()


def _half_used(low: float, high: int, ds: Dataset) -> tuple[str, ...]:
    """Return a remark on a film without window that leaves exactly one bit unused."""
    bits = integer(ds, "BitsStored") or 16
    signed = integer(ds, "PixelRepresentation") == 1
    return half_range_remark(int(low), high, bits, signed=signed)


def _full_window(
    low: float,
    high: float,
    ds: Dataset,
    table: LookupTable | None,
    rescale: tuple[float, float],
) -> Window:
    """Return the window of the full range, in the units of the Modality LUT's output."""
    if table is not None:
        return spanning(FULL_RANGE, 0.0, table.highest)
    if isinstance(low, int) and isinstance(high, int):
        signed = integer(ds, "PixelRepresentation") == 1
        low, high = full_range(low, high, integer(ds, "BitsStored") or 16, signed=signed)
    elif low == high:
        high = low + 1.0
    slope, intercept = rescale
    ends = sorted((slope * low + intercept, slope * high + intercept))
    return spanning(FULL_RANGE, *ends)


def _counted(stored: PixelArray, low: int, high: int, *, rising: bool) -> Values:
    """Return distances from the stored value that the Modality LUT maps lowest.

    Arithmetic in 16 bits wraps around, but the differences are right.
    """
    short = stored.astype(np.uint16, copy=False)
    if rising:
        return short - np.uint16(low % 65_536) if low else short
    return np.uint16(high % 65_536) - short


def _quantised(modality: NDArray[np.float64], own: Window) -> tuple[Values, float, float]:
    """Reduce values of more than 16 bits to 65,536 steps, fine enough for the film's window.

    The values are overwritten, because every copy of a large film takes half a gigabyte.
    """
    low, high = float(modality.min()), float(modality.max())
    reach = 2 * own.window_width  # a sigmoid is black and white to 0.0004 there
    if high - low > 8 * reach:
        low, high = max(low, own.window_center - reach), min(high, own.window_center + reach)
        high = max(low, high)
    step = (high - low) / 65_535 or 1.0
    np.clip(modality, low, high, out=modality)
    modality -= low
    modality /= step
    return np.rint(modality, out=modality).astype(np.uint16), low, step


def _colour_softcopy(pixel_array: PixelArray) -> Softcopy:
    rgb = _native(pixel_array)[..., :3]
    luminance = np.empty(rgb.shape[:2], rgb.dtype)
    for row in range(0, len(rgb), _ROWS_AT_ONCE):  # avoids a whole copy in double precision
        block = slice(row, row + _ROWS_AT_ONCE)
        luminance[block] = np.rint(rgb[block] @ LUMINANCE)
    return plain_softcopy(luminance, rgb.dtype.itemsize * 8, colour_fraction(rgb))


def _apply_palette(pixel_array: PixelArray, ds: Dataset) -> PixelArray:
    try:
        return apply_color_lut(pixel_array, ds)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        raise PixelDataError(
            "The image is stored as palette colours and its palette is damaged: export it again."
        ) from error


def _native(pixel_array: PixelArray) -> PixelArray:
    """Return the values in native byte order, and absurdly large numbers clipped."""
    native = pixel_array.astype(pixel_array.dtype.newbyteorder("="), copy=False)
    return native if np.issubdtype(native.dtype, np.integer) else native.clip(-1e12, 1e12)
