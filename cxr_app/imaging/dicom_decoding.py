"""Decode the pixel data of a DICOM file, with the one decoder chosen for its transfer syntax.

Compressed pixel data is decoded in a process of its own, see `isolated_decoder`.
"""

from itertools import islice
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.encaps import generate_fragments
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options, pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from cxr_app.errors import PixelDataError, raise_shortage
from cxr_app.imaging.codestream import CodestreamSize, check_size, codestream_size
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, integer, transfer_syntax, uid_name
from cxr_app.imaging.isolated_decoder import decode_in_subprocess
from cxr_app.imaging.pixels import PixelArray

_SYNTAXES_OF_BITS = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
}
"""Transfer syntaxes that store the allocated bits as they are, with no precision of their own."""
_PLUGIN_OF = {
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    RLELossless: "pylibjpeg",
    JPEGLossless: "gdcm",
    JPEGLosslessSV1: "gdcm",
}
"""The decoder of each transfer syntax.

pydicom itself would choose GDCM wherever possible, and GDCM ends its process on some damaged
films. So GDCM decodes only what nothing else decodes here.
"""


def decode(ds: Dataset, side: int | None = None) -> PixelArray:
    """Decode the first frame; colour is returned as RGB.

    Parameters
    ----------
    ds
        The parsed file.
    side
        Allows the decoder of JPEG 2000 to halve the film, as long as neither side gets shorter than
        this; None decodes every pixel.

    Raises
    ------
    FilmTooLargeError
        If the codestream has more pixels than allowed.
    PixelDataError
        If the pixel data is damaged, or there is no decoder for it.
    """
    syntax = transfer_syntax(ds)
    size = _first_codestream(ds)
    if size is not None:
        check_size(size.rows, size.columns, size.samples)
    plugin = _plugin(syntax, size)
    odd_high_bit = _has_odd_high_bit(ds)
    try:
        if size is not None and _is_deep_jpeg(syntax, size):
            decoded = _decode_deep_jpeg(ds, plugin, size)
        elif plugin:
            options = _options(ds, not odd_high_bit)
            halvings = _halvings(ds, size, side)
            decoded = decode_in_subprocess(ds.PixelData, syntax, plugin, options, halvings)
        else:
            with np.errstate(all="ignore"):
                decoded = pixel_array(ds, index=0, correct_unused_bits=not odd_high_bit)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        raise PixelDataError(
            f"The pixel data, stored as {uid_name(syntax)}, is damaged or cut short. "
            "Send the file again."
        ) from error
    return _aligned(decoded, ds) if odd_high_bit else decoded


def _halvings(ds: Dataset, size: CodestreamSize | None, side: int | None) -> int:
    """Return how many times the decoder may halve the sides of a film."""
    if size is None or side is None or (size.rows, size.columns) != (ds.Rows, ds.Columns):
        return 0
    if size.precision != integer(ds, "BitsStored"):
        return 0  # the bits above may hold something other than the film
    shorter = min(size.rows, size.columns)
    fitting = (times for times in range(size.halvings, 0, -1) if shorter > (side - 1) << times)
    return next(fitting, 0)


def _options(ds: Dataset, correct_unused_bits: bool) -> dict[str, Any]:
    """Return what a decoder needs to know, without values that only a damaged file holds."""
    options = as_pixel_options(ds, correct_unused_bits=correct_unused_bits)
    return {name: found for name, found in options.items() if isinstance(found, int | str)}


def _first_codestream(ds: Dataset) -> CodestreamSize | None:
    """Read the size that the first codestream declares; the item before it is an offset table."""
    if transfer_syntax(ds) in _SYNTAXES_OF_BITS:
        return None
    try:
        fragments = list(islice(generate_fragments(ds.PixelData), 2))
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return None  # decoding reports what is wrong
    return next(filter(None, map(codestream_size, fragments)), None)


def _has_odd_high_bit(ds: Dataset) -> bool:
    """Check whether the values are above the lowest bits, which the standard forbids since 2014."""
    allocated, stored, high = (
        integer(ds, keyword) or 0 for keyword in ("BitsAllocated", "BitsStored", "HighBit")
    )
    compressed = transfer_syntax(ds) not in _SYNTAXES_OF_BITS
    return 1 < stored <= high < allocated and allocated in (8, 16, 32) and not compressed


def _aligned(decoded: PixelArray, ds: Dataset) -> PixelArray:
    """Shift values down to the lowest bits, without their neighbouring bits; keep their sign.

    References
    ----------
    DICOM PS3.5 8.1.1.
    """
    above = ds.BitsAllocated - 1 - ds.HighBit
    return np.asarray((decoded << above) >> (ds.BitsAllocated - ds.BitsStored))


def _is_deep_jpeg(syntax: UID, size: CodestreamSize) -> bool:
    """Check whether it is a lossy JPEG of more than 8 bits."""
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and size.precision > 8


def _decode_deep_jpeg(ds: Dataset, plugin: str, size: CodestreamSize) -> PixelArray:
    """Decode a lossy JPEG of more than 8 bits, which may hold a film of fewer.

    The decoder reads the precision from the codestream itself. It is called under another transfer
    syntax, because under the right one pydicom has it decode 8 bits only.
    """
    options = _options(ds, correct_unused_bits=True)
    if integer(ds, "PixelRepresentation") == 1:
        return decode_in_subprocess(ds.PixelData, JPEGLossless, plugin, options)
    # Compression may overshoot the stored bits: such values are white; masked, they would be black.
    options["bits_stored"] = size.precision
    decoded = decode_in_subprocess(ds.PixelData, JPEGLossless, plugin, options)
    return decoded.clip(0, 2 ** (integer(ds, "BitsStored") or size.precision) - 1)


def _plugin(syntax: UID, size: CodestreamSize | None) -> str:
    """Return the decoder for a transfer syntax; empty if none is needed.

    Raises
    ------
    PixelDataError
        If it is missing; the message names the transfer syntax and the decoder.
    """
    stored = f"The pixel data is stored as {uid_name(syntax) or 'something unknown'}"
    remedy = "Export the film uncompressed."
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise PixelDataError(f"{stored}, for which there is no decoder. {remedy}") from error
    if not decoder.is_encapsulated:
        return ""
    plugin = _PLUGIN_OF.get(syntax, "")
    if size is not None and _is_deep_jpeg(syntax, size):
        plugin, stored = "gdcm", f"{stored} with more than 8 bits"
    if plugin not in decoder.available_plugins:
        missing = "; ".join(decoder.missing_dependencies)
        raise PixelDataError(f"{stored}, and its decoder is missing: {missing}. {remedy}")
    return plugin
