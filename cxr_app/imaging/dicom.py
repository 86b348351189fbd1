"""DICOM file to film: checks and parses a file, and reads its header.

`dicom_decoding` decodes the pixel data, and `pixels` interprets the values. A pydicom dataset only
leaves these modules for the results that are made of it. Whatever pydicom or a decoder raises on a
damaged file becomes a `FilmError`.
"""

import re
import zlib
from dataclasses import fields, replace
from io import BytesIO

from pydicom import DataElement, Dataset, dcmread
from pydicom.config import IGNORE
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cxr_app.errors import (
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    UnsupportedImageError,
    raise_shortage,
)
from cxr_app.imaging.aspect import aspect_ratio, with_square_pixels
from cxr_app.imaging.codestream import check_size
from cxr_app.imaging.decoded_film import DecodedFilm
from cxr_app.imaging.dicom_decoding import decode
from cxr_app.imaging.dicom_prefix import LONG_REPRESENTATIONS, PREFIX
from cxr_app.imaging.dicom_values import (
    DICOM_DAMAGE,
    OVERLAY_GROUPS,
    integer,
    text,
    transfer_syntax,
    uid_name,
)
from cxr_app.imaging.frame_facts import set_frame_facts
from cxr_app.imaging.limits import MAX_FRAMES, MAX_INFLATED_BYTES, MAX_READS
from cxr_app.imaging.objections import objection
from cxr_app.imaging.orientation import turn_needed, turned
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.imaging.pixel_spacing import spacing_of
from cxr_app.imaging.pixels import may_be_averaged, shows_range, to_softcopy
from cxr_app.imaging.shutter import shutter_overlay
from cxr_app.radiograph import Header, Softcopy

_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
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
    "acquisition_date_time": r"\d{8}[\d.]*([+-]\d{4})?",
    "acquisition_date": r"\d{8}",
    "acquisition_time": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
    "timezone_offset_from_utc": r"[+-]\d{4}",
    "study_instance_uid": r"[0-9.]{1,64}",
    "series_instance_uid": r"[0-9.]{1,64}",
    "sop_instance_uid": r"[0-9.]{1,64}",
    "sop_class_uid": r"[0-9.]{1,64}",
}
"""Patterns that values must match to be shown; all other text is shown as it is."""


def read_film(data: bytes, *, side: int | None = None, in_subprocess: bool = False) -> DecodedFilm:
    """Read the first frame of a DICOM file, and its header.

    Parameters
    ----------
    data
        The file.
    side
        Allows the decoder of JPEG 2000 to halve the film, as long as neither side gets shorter than
        this and the grey values stay the same; None decodes every pixel.
    in_subprocess
        Ignored: compressed pixel data is always decoded in a subprocess, other pixel data never.

    Raises
    ------
    NotAFilmError
        If the content is not a DICOM data set.
    UnsupportedImageError
        If it is one, but holds no image, or one that the program cannot show.
    FilmTooLargeError
        If it has more pixels or frames than allowed, or would inflate to too many bytes.
    PixelDataError
        If its pixels are missing or damaged, or there is no decoder for them.
    """
    ds = parse(data)
    header = header_of(ds)
    softcopy, decoded_size = _decoded(ds, side)
    size = (ds.Rows, ds.Columns)
    full_size = None if decoded_size == size else size
    return DecodedFilm(softcopy, header, full_size, objection(ds))


def softcopy_of(ds: Dataset) -> Softcopy:
    """Return the first frame of a dataset, as `read_film` does; errors are the same."""
    try:
        return _decoded(ds, side=None)[0]
    except MemoryError as error:
        raise_shortage(error)
        raise


def _decoded(ds: Dataset, side: int | None) -> tuple[Softcopy, tuple[int, ...]]:
    """Return the first frame, and the rows and columns that the decoder gave it."""
    _check_image(ds)
    set_frame_facts(ds)
    stored = decode(ds, side if may_be_averaged(ds) else None)
    if stored.shape[:2] != (ds.Rows, ds.Columns) and not shows_range(stored, ds):
        stored = decode(ds)
    softcopy = with_square_pixels(to_softcopy(stored, ds), aspect_ratio(ds))
    softcopy = replace(softcopy, spacing=spacing_of(ds, softcopy.values.shape))
    softcopy = turned(softcopy, turn_needed(ds))
    return replace(softcopy, remarks=(*_remarks(ds), *softcopy.remarks)), stored.shape[:2]


def parse(data: bytes) -> Dataset:
    """Parse a data set, check that it is one, and complete its transfer syntax.

    Raises
    ------
    NotAFilmError, FilmTooLargeError, PixelDataError
        As `read_film`.
    """
    silence_warnings("pydicom")
    has_prefix = data[PREFIX] == b"DICM"
    try:
        check_deflated(data)
        # Without the prefix, `is_dicom` has checked the first element; the rest is checked here.
        ds = dcmread(CountedReads(data), force=not has_prefix)
        known = any(key in ds for key in ("SOPClassUID", "Rows", "DirectoryRecordSequence"))
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        raise NotAFilmError(
            "The file is damaged: its DICOM header cannot be read. Export the film again."
        ) from error
    if len(ds) == 0 and text(ds.file_meta, "TransferSyntaxUID"):
        # If the file ends within compressed pixel data, pydicom keeps no element at all.
        raise PixelDataError("The DICOM file is cut short: it ends too early. Send it again.")
    if not known and not any(key in ds for key in _PIXEL_KEYWORDS):
        raise NotAFilmError(
            "The file is not a film: it begins like DICOM but holds no image and no record of one."
        )
    _complete_file_meta(ds)
    return ds


class CountedReads(BytesIO):
    """A file with a limited number of reads, because the header of a film has few elements."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, up to the limit."""
        self._left -= 1
        if self._left < 0:
            raise FilmTooLargeError(
                "The file's DICOM header has more elements than any film needs. Export the film "
                "alone."
            )
        return super().read(size)


def check_deflated(data: bytes) -> None:
    """Refuse a deflated data set that would inflate beyond the limit, before parsing it."""
    start = len(data[: PREFIX.stop]) if data[PREFIX] == b"DICM" else 0
    end = end_of_file_meta(data, start)
    if DeflatedExplicitVRLittleEndian.encode() not in data[start:end]:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    if len(inflater.decompress(data[end:], MAX_INFLATED_BYTES + 1)) > MAX_INFLATED_BYTES:
        raise FilmTooLargeError(
            f"The file would inflate to more than {MAX_INFLATED_BYTES // 2**20} MB. Export the "
            "film without deflate compression."
        )


def end_of_file_meta(data: bytes, position: int) -> int:
    """Return where the elements of group 0002 end; they are explicit and little endian."""
    while data[position : position + 2] == b"\x02\x00":
        if data[position + 4 : position + 6] in LONG_REPRESENTATIONS:
            position += 12 + int.from_bytes(data[position + 8 : position + 12], "little")
        else:
            position += 8 + int.from_bytes(data[position + 6 : position + 8], "little")
    return position


def _complete_file_meta(ds: Dataset) -> None:
    """Add the transfer syntax that the data set was parsed with, if the file states none."""
    stated = text(ds.file_meta, "TransferSyntaxUID")
    implicit, little = ds.original_encoding
    explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    parsed_as = ImplicitVRLittleEndian if implicit else explicit
    # Added without validation: decoding fails on a damaged one, and its message names it.
    ds.file_meta[0x00020010] = DataElement(
        0x00020010, "UI", UID(stated or parsed_as, IGNORE), validation_mode=IGNORE
    )


def header_of(ds: Dataset) -> Header:
    """Read the facts that the file states legally; everything else is empty."""
    facts = {field.name: text(ds, _keyword(field.name)) for field in fields(Header)}
    facts["transfer_syntax"] = uid_name(transfer_syntax(ds))
    for name, pattern in _LEGAL.items():
        if not re.fullmatch(pattern, facts[name], re.ASCII):
            facts[name] = ""
    return Header(**facts)


def _keyword(name: str) -> str:
    """Return the DICOM keyword of a field of `Header`."""
    return "".join(w.upper() if w in ("id", "uid", "sop") else w.title() for w in name.split("_"))


def _check_image(ds: Dataset) -> None:
    """Refuse a file without an image that can be shown, before decoding any of it."""
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
    check_size(integer(ds, "Rows") or 0, integer(ds, "Columns") or 0)
    frames = integer(ds, "NumberOfFrames") or 1
    if frames > MAX_FRAMES:
        raise FilmTooLargeError(
            f"The file holds {frames} frames, more than the {MAX_FRAMES} allowed: "
            "this is not a single radiograph. Export the film itself."
        )


def _check_holds_image(ds: Dataset) -> None:
    if "DirectoryRecordSequence" in ds:
        raise UnsupportedImageError(
            "The file is a DICOMDIR, the table of contents of a disc: choose the films it lists."
        )
    if any(key in ds for key in _PIXEL_KEYWORDS):
        return
    if "PixelDataProviderURL" in ds:
        raise UnsupportedImageError(
            "The file holds no pixels, only the address of a server that has them (Pixel Data "
            "Provider URL). Export the film with its pixels."
        )
    if "Rows" in ds:
        raise PixelDataError(
            "The file holds the header of an image, but no Pixel Data: it was stored without, or "
            "ends before its pixel data. Export the film with its pixels."
        )
    kind = uid_name(UID(text(ds, "SOPClassUID"), IGNORE)).removesuffix(" Storage")
    raise UnsupportedImageError(
        f"The file holds no image{f': it is of the kind {kind}' if kind else ''}. "
        "Choose the radiograph itself."
    )


def _remarks(ds: Dataset) -> tuple[str, ...]:
    """Return what a reader should know about the file."""
    remarks = []
    frames = integer(ds, "NumberOfFrames") or 1
    if frames > 1:
        remarks.append(f"The file holds {frames} frames: only the first is shown and scored.")
    if text(ds, "BurnedInAnnotation").upper() == "YES":
        remarks.append("The picture contains burned-in annotation.")
    groups = set(OVERLAY_GROUPS) - {shutter_overlay(ds)}
    if any((group, 0x0010) in ds for group in groups):
        remarks.append("The file holds an overlay, which is not shown.")
    return tuple(remarks)
