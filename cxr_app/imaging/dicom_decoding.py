"""Decode the pixel data of a DICOM file, with the decoders chosen for its transfer syntax.

Compressed pixel data is decoded in a process of its own, see `isolated_decoder`.
"""

from collections.abc import Sequence
from itertools import islice, product
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_fragments
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
from cxr_app.imaging.native_frames import (
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    first_frame,
    with_native_frame,
)
from cxr_app.imaging.stored_bits import PixelArray, cut, has_odd_high_bit, is_clipped

_SYNTAXES_OF_BITS = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
}
"""Transfer syntaxes that store the allocated bits as they are, with no precision of their own."""
_PLUGINS_OF = {
    JPEGBaseline8Bit: ("pillow", "gdcm"),
    JPEGExtended12Bit: ("pillow", "gdcm"),
    JPEGLSLossless: ("pyjpegls", "gdcm"),
    JPEGLSNearLossless: ("pyjpegls", "gdcm"),
    JPEG2000Lossless: ("pylibjpeg", "gdcm"),
    JPEG2000: ("pylibjpeg", "gdcm"),
    HTJ2KLossless: ("pylibjpeg",),
    HTJ2KLosslessRPCL: ("pylibjpeg",),
    HTJ2K: ("pylibjpeg",),
    RLELossless: ("pylibjpeg", "pydicom"),
    JPEGLossless: ("gdcm",),
    JPEGLosslessSV1: ("gdcm",),
}
"""The decoders of each transfer syntax; the next one is tried if one calls the film damaged.

pydicom itself would choose GDCM wherever possible, and GDCM ends its process on some damaged
films. So GDCM comes last.
"""
TRANSFER_SYNTAXES = (
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLosslessSV1,
    JPEGLossless,
    RLELossless,
    DEFLATED_FRAMES,
    HTJ2K,
    JPEG2000,
    JPEGLSNearLossless,
    JPEGExtended12Bit,
    JPEGBaseline8Bit,
    ENCAPSULATED_UNCOMPRESSED,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
"""Every transfer syntax that is decoded: compressed ones first, and without loss before with."""

_JPEG = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1}
_MAY_LOSE = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K}
_ENDED_BY_A_MARK = {
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000Lossless,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    HTJ2K,
}
_END_MARK = b"\xff\xd9"
_AS_STORED = {
    "correct_unused_bits": False,
    "apply_j2k_sign_correction": False,
    "apply_jls_sign_correction": False,
}
"""Options of pydicom's decoders; `stored_bits.cut` does the rest, the same after all of them."""


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
    try:
        ds = with_native_frame(ds)
        return _decode(ds, side)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        raise PixelDataError(
            f"The pixel data, stored as {uid_name(transfer_syntax(ds))}, is damaged or cut short. "
            "Send the file again."
        ) from error


def _decode(ds: Dataset, side: int | None) -> PixelArray:
    syntax = transfer_syntax(ds)
    size = _first_codestream(ds)
    if size is not None:
        check_size(size.rows, size.columns, size.samples)
    plugins = _plugins(syntax, size)
    if not plugins:
        odd_high_bit = has_odd_high_bit(ds)
        with np.errstate(all="ignore"):
            decoded = pixel_array(ds, index=0, correct_unused_bits=not odd_high_bit)
        return cut(decoded, ds) if odd_high_bit else decoded
    decoded = _decompressed(ds, plugins, size, _halvings(ds, size, side))
    precision = size.precision if size else decoded.itemsize * 8
    if syntax in _MAY_LOSE and is_clipped(ds, precision):
        return decoded.clip(0, 2 ** (integer(ds, "BitsStored") or precision) - 1)
    return cut(decoded, ds, precision)


def _decompressed(
    ds: Dataset, plugins: Sequence[str], size: CodestreamSize | None, halvings: int
) -> PixelArray:
    """Decode compressed pixel data by the first decoder that can.

    A codestream that lacks only its end mark is completed. That is not done to JPEG: its decoders
    take a film that ends in the middle for a whole one if a mark follows.
    """
    syntax = transfer_syntax(ds)
    options = _options(ds, size)
    decoded_as = JPEGLossless if size is not None and _is_deep_jpeg(syntax, size) else syntax
    contents = [ds.PixelData]
    if syntax in _ENDED_BY_A_MARK and (completed := _completed(ds)) is not None:
        contents.append(completed)
    last: Exception | None = None
    for content, plugin in product(contents, plugins):
        try:
            return decode_in_subprocess(content, decoded_as, plugin, options, halvings)
        except RuntimeError as error:
            last = error
    raise last or RuntimeError("there is no decoder")


def _completed(ds: Dataset) -> bytes | None:
    """Return the pixel data with the end mark of its first frame; None if it has one."""
    frame = first_frame(ds)
    if _END_MARK in frame[-4:]:
        return None
    return encapsulate([frame.removesuffix(b"\0") + _END_MARK])


def _halvings(ds: Dataset, size: CodestreamSize | None, side: int | None) -> int:
    """Return how many times the decoder may halve the sides of a film."""
    if size is None or side is None or (size.rows, size.columns) != (ds.Rows, ds.Columns):
        return 0
    if size.precision != integer(ds, "BitsStored"):
        return 0  # the bits above may hold something other than the film
    if has_odd_high_bit(ds):
        return 0
    shorter = min(size.rows, size.columns)
    fitting = (times for times in range(size.halvings, 0, -1) if shorter > (side - 1) << times)
    return next(fitting, 0)


def _options(ds: Dataset, size: CodestreamSize | None) -> dict[str, Any]:
    """Return what a decoder needs to know, without values that only a damaged file holds.

    The precision of a lossless JPEG is that of its codestream: decoders that believe the header
    keep no bits above.
    """
    options = as_pixel_options(ds, **_AS_STORED)
    if size is not None and transfer_syntax(ds) in _JPEG and size.precision > 8:
        options["bits_stored"] = size.precision
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


def _is_deep_jpeg(syntax: UID, size: CodestreamSize) -> bool:
    """Check whether it is a lossy JPEG of more than 8 bits."""
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and size.precision > 8


def _plugins(syntax: UID, size: CodestreamSize | None) -> Sequence[str]:
    """Return the decoders for a transfer syntax; none if none is needed.

    Raises
    ------
    PixelDataError
        If all are missing; the message names the transfer syntax and the decoder.
    """
    name = uid_name(syntax) or "something unknown"
    if name == str(syntax):
        name = f"an unknown transfer syntax ({name})"
    stored = f"The pixel data is stored as {name}"
    remedy = "Export the film uncompressed."
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise PixelDataError(f"{stored}, for which there is no decoder. {remedy}") from error
    if not decoder.is_encapsulated:
        return ()
    plugins = _PLUGINS_OF.get(syntax, ())
    if size is not None and _is_deep_jpeg(syntax, size):
        # Decoded as lossless JPEG, because as JPEG extended pydicom has it decode 8 bits only.
        plugins, stored = ("gdcm",), f"{stored} with more than 8 bits"
    available = [plugin for plugin in plugins if plugin in decoder.available_plugins]
    if not available:
        missing = "; ".join(decoder.missing_dependencies)
        raise PixelDataError(f"{stored}, and its decoder is missing: {missing}. {remedy}")
    return available
