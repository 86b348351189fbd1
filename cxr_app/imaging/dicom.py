"""DICOM file to film: parsing, the header's facts, and decoding; what values mean, `pixels` knows.

A pydicom dataset never leaves this file but to `pixels`. Whatever pydicom or a decoder raises on a
damaged file leaves as a `FilmError`.
"""

import logging
import re
import zlib
from dataclasses import fields, replace
from io import BytesIO
from itertools import islice
from typing import Any

import numpy as np
from pydicom import DataElement, Dataset, dcmread
from pydicom._uid_dict import UID_dictionary
from pydicom.config import IGNORE
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
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from cxr_app.errors import (
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    UnsupportedImageError,
    silence_warnings,
)
from cxr_app.imaging.codestream import CodestreamSize, check_size, codestream_size
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, integer, text
from cxr_app.imaging.isolated_decoder import decode_in_subprocess
from cxr_app.imaging.limits import MAX_READS, MAX_UNFOLDED_BYTES
from cxr_app.imaging.pixels import PixelArray, may_be_averaged, shows_range, to_softcopy
from cxr_app.radiograph import Header, Softcopy

_PREFIX = slice(128, 132)
_VALUE_REPRESENTATIONS = {vr.value.encode() for vr in VR if len(vr.value) == 2}
_LONG_REPRESENTATIONS = {vr.value.encode() for vr in EXPLICIT_VR_LENGTH_32}
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_SYNTAXES_OF_BITS = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
}
"""Those that store the allocated bits as they are, and no numbers of their own precision."""
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
"""Who decodes what. Left to choose, pydicom takes GDCM wherever it can: see `decoder_process`."""
_SAMPLES_OF = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}
_LEGAL = {
    "patient_birth_date": r"\d{8}",
    "patient_sex": r"[MFO]",
    "patient_age": r"\d{3}[DWMY]",
    "study_date": r"\d{8}",
    "study_time": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
    "study_instance_uid": r"[0-9.]{1,64}",
    "series_instance_uid": r"[0-9.]{1,64}",
    "sop_instance_uid": r"[0-9.]{1,64}",
    "sop_class_uid": r"[0-9.]{1,64}",
}
"""What a value must look like to be shown; every other text is shown as it stands."""

# pydicom reports odd values by printing them, and they may be a patient's.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def is_dicom(data: bytes) -> bool:
    """Say whether `data` is a DICOM file, or begins like a data set without preamble.

    A data set begins with an element of group 0002 or 0008 whose value representation (where
    explicit) exists and whose length fits into the file.

    References
    ----------
    DICOM PS3.10 7.1, PS3.5 7.1.
    """
    return data[_PREFIX] == b"DICM" or _begins_like_a_data_set(data)


def read_softcopy(
    data: bytes, *, max_pixels: int, max_frames: int, side: int | None = None
) -> tuple[Softcopy, Header, tuple[int, int] | None]:
    """Read the first frame of a DICOM file, and its header.

    Parameters
    ----------
    data
        The file.
    max_pixels, max_frames
        A film of more is refused.
    side
        Allows the decoder of JPEG 2000 to halve a film's size, while neither side gets below this
        and it is shown with the same grey values; None wants every pixel.

    Returns
    -------
    softcopy
        The film.
    header
        What the file says of it.
    size
        Rows and columns of the film where it was reduced, else None.

    Raises
    ------
    NotAFilmError
        If the content is no DICOM data set.
    UnsupportedImageError
        If it is one, but holds no image or one of an unknown kind.
    FilmTooLargeError
        If it has more pixels or frames than allowed, or would unfold to more.
    PixelDataError
        If its pixels are missing, damaged or have no decoder here.
    """
    silence_warnings("pydicom")
    ds = _parse(data)
    header = _header(ds)
    _check_image(ds, max_pixels, max_frames)
    stored = _decode(ds, max_pixels, side if may_be_averaged(ds) else None)
    size = (ds.Rows, ds.Columns)
    if stored.shape[:2] != size and not shows_range(stored, ds):
        stored = _decode(ds, max_pixels)
    softcopy = to_softcopy(stored, ds)
    softcopy = replace(softcopy, remarks=(*_remarks(ds), *softcopy.remarks))
    return softcopy, header, None if stored.shape[:2] == size else size


def _begins_like_a_data_set(data: bytes) -> bool:
    if len(data) < 16:
        return False
    for byte_order in ("little", "big"):
        if int.from_bytes(data[:2], byte_order) not in (0x0002, 0x0008):
            continue
        representation = data[4:6]
        if representation in _VALUE_REPRESENTATIONS:
            return int.from_bytes(data[6:8], byte_order) <= len(data)
        return byte_order == "little" and int.from_bytes(data[4:8], "little") <= len(data) - 8
    return False


def _parse(data: bytes) -> Dataset:
    """Parse a data set and make sure that it is one and says its transfer syntax."""
    has_prefix = data[_PREFIX] == b"DICM"
    try:
        _check_deflated(data)
        # Without the prefix, `is_dicom` has looked at the first element, and we look at the rest.
        ds = dcmread(_CountedReads(data), force=not has_prefix)
        known = any(key in ds for key in ("SOPClassUID", "Rows", "DirectoryRecordSequence"))
    except DICOM_DAMAGE as error:
        raise NotAFilmError(
            "The file is damaged: its DICOM header cannot be read. Export the film again."
        ) from error
    if len(ds) == 0 and text(ds.file_meta, "TransferSyntaxUID"):
        # Where the file ends within compressed pixel data, pydicom keeps nothing of it.
        raise PixelDataError("The DICOM file is cut short: it ends too early. Send it again.")
    if not known and not any(key in ds for key in _PIXEL_KEYWORDS):
        raise NotAFilmError(
            "The file is not a film: it begins like DICOM and holds no image and no record of one."
        )
    _complete_file_meta(ds)
    return ds


class _CountedReads(BytesIO):
    """A file that can be read from so many times only: a film's header has not many elements."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise FilmTooLargeError(
                "The file's DICOM header has more elements than any film needs. Export the film "
                "alone."
            )
        return super().read(size)


def _check_deflated(data: bytes) -> None:
    """Refuse a deflated data set that would unfold beyond bounds, before it does."""
    start = len(data[: _PREFIX.stop]) if data[_PREFIX] == b"DICM" else 0
    end = _end_of_file_meta(data, start)
    if DeflatedExplicitVRLittleEndian.encode() not in data[start:end]:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    if len(inflater.decompress(data[end:], MAX_UNFOLDED_BYTES + 1)) > MAX_UNFOLDED_BYTES:
        raise FilmTooLargeError(
            f"The file would unfold to more than {MAX_UNFOLDED_BYTES // 2**20} MB. Export the film "
            "without deflate compression, if it is one."
        )


def _end_of_file_meta(data: bytes, position: int) -> int:
    """Find where the elements of group 0002 end; they are explicit and little endian."""
    while data[position : position + 2] == b"\x02\x00":
        if data[position + 4 : position + 6] in _LONG_REPRESENTATIONS:
            position += 12 + int.from_bytes(data[position + 8 : position + 12], "little")
        else:
            position += 8 + int.from_bytes(data[position + 6 : position + 8], "little")
    return position


def _complete_file_meta(ds: Dataset) -> None:
    """State the transfer syntax that the data set was parsed with, where the file does not."""
    stated = text(ds.file_meta, "TransferSyntaxUID")
    implicit, little = ds.original_encoding
    explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    parsed_as = ImplicitVRLittleEndian if implicit else explicit
    # Added without validation: a damaged one is named when decoding fails.
    ds.file_meta[0x00020010] = DataElement(
        0x00020010, "UI", UID(stated or parsed_as, IGNORE), validation_mode=IGNORE
    )


def _header(ds: Dataset) -> Header:
    """Take the facts that the file states legally; everything else stays empty."""
    facts = {field.name: text(ds, _keyword(field.name)) for field in fields(Header)}
    facts["transfer_syntax"] = _name(_transfer_syntax(ds))
    for name, pattern in _LEGAL.items():
        if not re.fullmatch(pattern, facts[name], re.ASCII):
            facts[name] = ""
    return Header(**facts)


def _keyword(name: str) -> str:
    """Turn the name of a field into the keyword of its element."""
    return "".join(w.upper() if w in ("id", "uid", "sop") else w.title() for w in name.split("_"))


def _name(uid: UID) -> str:
    """Name what a UID stands for; empty for text that is no UID, which may be a patient's."""
    return uid.name if uid in UID_dictionary or re.fullmatch(r"[0-9.]{1,64}", uid) else ""


def _transfer_syntax(ds: Dataset) -> UID:
    return UID(text(ds.file_meta, "TransferSyntaxUID"), IGNORE)


def _check_image(ds: Dataset, max_pixels: int, max_frames: int) -> None:
    """Refuse what holds no image that can be shown, before any of it is decoded."""
    _check_holds_image(ds)
    interpretation = text(ds, "PhotometricInterpretation")
    if interpretation not in _SAMPLES_OF:
        found = interpretation if re.fullmatch(r"[A-Z0-9_ ]{1,16}", interpretation) else "missing"
        raise UnsupportedImageError(
            f"(0028,0004) Photometric Interpretation is {found}; allowed are MONOCHROME1, "
            "MONOCHROME2, PALETTE COLOR, RGB and YBR. Export the original radiograph."
        )
    if integer(ds, "SamplesPerPixel") != _SAMPLES_OF[interpretation]:
        raise PixelDataError(
            f"The file's (0028,0002) Samples per Pixel does not fit {interpretation}: "
            "its header is damaged. Export the film again."
        )
    check_size(integer(ds, "Rows") or 0, integer(ds, "Columns") or 0, max_pixels)
    frames = integer(ds, "NumberOfFrames") or 1
    if frames > max_frames:
        raise FilmTooLargeError(
            f"The file holds {frames} frames, more than the {max_frames} allowed: "
            "this is no single radiograph. Export the film itself."
        )


def _check_holds_image(ds: Dataset) -> None:
    if "DirectoryRecordSequence" in ds:
        raise UnsupportedImageError(
            "The file is a DICOMDIR, the table of contents of a disc: choose the films it lists."
        )
    if any(key in ds for key in _PIXEL_KEYWORDS):
        return
    if "Rows" in ds:
        raise PixelDataError("The file ends before its pixel data: it is cut short. Send it again.")
    kind = _name(UID(text(ds, "SOPClassUID"), IGNORE)).removesuffix(" Storage")
    raise UnsupportedImageError(
        f"The file holds no image{f': it is of the kind {kind}' if kind else ''}. "
        "Choose the radiograph itself."
    )


def _decode(ds: Dataset, max_pixels: int, side: int | None = None) -> PixelArray:
    """Decode the first frame, reduced to no less than `side` if may be; colour comes out as RGB."""
    syntax = _transfer_syntax(ds)
    size = _first_codestream(ds)
    if size is not None:
        check_size(size.rows, size.columns, max_pixels, size.samples)
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
        raise PixelDataError(
            f"The pixel data, stored as {_name(syntax)}, is damaged or cut short. "
            "Send the file again."
        ) from error
    return _aligned(decoded, ds) if odd_high_bit else decoded


def _halvings(ds: Dataset, size: CodestreamSize | None, side: int | None) -> int:
    """Say how many times the decoder may halve a film's sides."""
    if size is None or side is None or (size.rows, size.columns) != (ds.Rows, ds.Columns):
        return 0
    if size.precision != integer(ds, "BitsStored"):
        return 0  # other things than the film may stand in the bits above
    shorter = min(size.rows, size.columns)
    fitting = (times for times in range(size.halvings, 0, -1) if shorter > (side - 1) << times)
    return next(fitting, 0)


def _options(ds: Dataset, correct_unused_bits: bool) -> dict[str, Any]:
    """Say what a decoder must know of the image, without what only a damaged file holds."""
    options = as_pixel_options(ds, correct_unused_bits=correct_unused_bits)
    return {name: found for name, found in options.items() if isinstance(found, int | str)}


def _first_codestream(ds: Dataset) -> CodestreamSize | None:
    """Read what the first codestream says of its size; the item before it is a table of offsets."""
    if _transfer_syntax(ds) in _SYNTAXES_OF_BITS:
        return None
    try:
        fragments = list(islice(generate_fragments(ds.PixelData), 2))
    except DICOM_DAMAGE:
        return None  # decoding will say what is wrong
    return next(filter(None, map(codestream_size, fragments)), None)


def _has_odd_high_bit(ds: Dataset) -> bool:
    """Say whether the values do not stand in the lowest bits, as they must since 2014."""
    allocated, stored, high = (
        integer(ds, keyword) or 0 for keyword in ("BitsAllocated", "BitsStored", "HighBit")
    )
    compressed = _transfer_syntax(ds) not in _SYNTAXES_OF_BITS
    return 1 < stored <= high < allocated and allocated in (8, 16, 32) and not compressed


def _aligned(decoded: PixelArray, ds: Dataset) -> PixelArray:
    """Shift values down to the lowest bits, and out of their neighbourhood; keep their sign.

    References
    ----------
    DICOM PS3.5 8.1.1.
    """
    above = ds.BitsAllocated - 1 - ds.HighBit
    return np.asarray((decoded << above) >> (ds.BitsAllocated - ds.BitsStored))


def _is_deep_jpeg(syntax: UID, size: CodestreamSize) -> bool:
    """Say whether it is a lossy JPEG of more than 8 bits."""
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and size.precision > 8


def _decode_deep_jpeg(ds: Dataset, plugin: str, size: CodestreamSize) -> PixelArray:
    """Decode a lossy JPEG of more than 8 bits, which may hold a film of fewer.

    Its decoder takes a codestream for what it is. It is asked by the name of another syntax, since
    by its own pydicom has it decode 8 bits only.
    """
    options = _options(ds, correct_unused_bits=True)
    if integer(ds, "PixelRepresentation") == 1:
        return decode_in_subprocess(ds.PixelData, JPEGLossless, plugin, options)
    # What compression moved beyond the stored bits is white: cut off above them, it were black.
    options["bits_stored"] = size.precision
    decoded = decode_in_subprocess(ds.PixelData, JPEGLossless, plugin, options)
    return decoded.clip(0, 2 ** (integer(ds, "BitsStored") or size.precision) - 1)


def _plugin(syntax: UID, size: CodestreamSize | None) -> str:
    """Choose the decoder; empty where none is needed.

    Raises
    ------
    PixelDataError
        If it is missing; the message names the transfer syntax and the decoder.
    """
    stored = f"The pixel data is stored as {_name(syntax) or 'something unknown'}"
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


def _remarks(ds: Dataset) -> tuple[str, ...]:
    """Say what a reader should know of the file."""
    remarks = []
    frames = integer(ds, "NumberOfFrames") or 1
    if frames > 1:
        remarks.append(f"The file holds {frames} frames: only the first is shown and scored.")
    if text(ds, "BurnedInAnnotation").upper() == "YES":
        remarks.append("The picture contains burned-in annotation.")
    if any((group, 0x0010) in ds for group in range(0x6000, 0x6020, 2)):
        remarks.append("The file holds an overlay, which is not shown.")
    return tuple(remarks)
