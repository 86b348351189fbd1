"""A film in memory: its image, identity, header, and values for the viewer.

This module knows neither file formats nor networks.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""Grey values of a film, shape ``(rows, columns)``, in ``[0, 1]``, 1 = densest tissue (bone)."""

SCORED_SIDE = 448
"""Smallest length of the shorter side for scoring, if the decoder can reduce the film.

Twice the 224 pixels of the network's input. At this size, a film has the same probability as at
full size within 0.005 (mean 0.0003, on the originals of the training films as JPEG; within 0.002,
mean 0.0003, on 39 of them as JPEG 2000).
"""

Values = NDArray[np.uint16]
"""Grey values before windowing, shape ``(rows, columns)``, counted from `Softcopy.origin`."""


class VOILUTFunction(Enum):
    """Enumerated values of (0028,1056) *VOI LUT Function*.

    References
    ----------
    DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
    """

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Header:
    """DICOM attributes of a film, named by keyword.

    Nothing is guessed: a value that is missing or not legal is an empty string. `study_date` is
    ``YYYYMMDD`` and `patient_age` is ``nnnD|W|M|Y`` as in the file (VR DA and AS).
    """

    patient_id: str = ""  # (0010,0020)
    issuer_of_patient_id: str = ""  # (0010,0021)
    patient_name: str = ""  # (0010,0010)
    patient_birth_date: str = ""  # (0010,0030)
    patient_sex: str = ""  # (0010,0040)
    patient_age: str = ""  # (0010,1010)
    accession_number: str = ""  # (0008,0050)
    study_date: str = ""  # (0008,0020)
    study_time: str = ""  # (0008,0030)
    acquisition_date_time: str = ""  # (0008,002A)
    acquisition_date: str = ""  # (0008,0022)
    acquisition_time: str = ""  # (0008,0032)
    timezone_offset_from_utc: str = ""  # (0008,0201)
    study_description: str = ""  # (0008,1030)
    modality: str = ""  # (0008,0060)
    body_part_examined: str = ""  # (0018,0015)
    view_position: str = ""  # (0018,5101)
    patient_orientation: str = ""  # (0020,0020)
    institution_name: str = ""  # (0008,0080)
    manufacturer: str = ""  # (0008,0070)
    station_name: str = ""  # (0008,1010)
    study_instance_uid: str = ""  # (0020,000D)
    series_instance_uid: str = ""  # (0020,000E)
    sop_instance_uid: str = ""  # (0008,0018)
    sop_class_uid: str = ""  # (0008,0016)
    image_type: str = ""  # (0008,0008)
    photometric_interpretation: str = ""  # (0028,0004)
    bits_stored: str = ""  # (0028,0101)
    transfer_syntax: str = ""  # (0002,0010), by name
    burned_in_annotation: str = ""  # (0028,0301)


@dataclass(frozen=True, slots=True)
class Radiograph:
    """One film, ready to be scored.

    Parameters
    ----------
    image
        ``float32``, shape ``(rows, columns)``, in ``[0, 1]``; 1 is the densest tissue. Read-only
        from here on.
    sha256
        Of the file as received, 64 hexadecimal digits: the film's identity.
    file_format
        Name of the content's format, as in `imaging.formats.FORMATS`.
    header
        DICOM attributes; None for a file without a DICOM header.
    remarks
        Sentences for the reader, for example about further frames or a burned-in annotation.
    colour_fraction
        Fraction of pixels that had a colour before conversion to grey, in ``[0, 1]``.
    size
        Rows and columns of the film if the decoder has reduced it, to sides of at least
        `SCORED_SIDE`; None if `image` has the film's own size.
    objection
        Why its file forbids scoring it, the end of a sentence; empty if it does not.

    Raises
    ------
    ValueError
        If the image is not two-dimensional ``float32`` in ``[0, 1]``.
    """

    image: Image
    sha256: str
    file_format: str
    header: Header | None = None
    remarks: tuple[str, ...] = ()
    colour_fraction: float = 0.0
    size: tuple[int, int] | None = None
    objection: str = ""

    def __post_init__(self) -> None:
        if self.image.ndim != 2 or 0 in self.image.shape:
            raise ValueError(f"image must have shape (rows, columns), got {self.image.shape}")
        if self.image.dtype != np.float32:
            raise ValueError(f"image must be float32, got {self.image.dtype}")
        low, high = float(self.image.min()), float(self.image.max())
        if not (low >= 0.0 and high <= 1.0):
            raise ValueError(f"image must lie in [0, 1], got [{low:g}, {high:g}]")
        self.image.flags.writeable = False

    @property
    def rows(self) -> int:
        """Height of the film in pixels."""
        return int((self.size or self.image.shape)[0])

    @property
    def columns(self) -> int:
        """Width of the film in pixels."""
        return int((self.size or self.image.shape)[1])


@dataclass(frozen=True, slots=True)
class Window:
    """One way to display a film's grey values.

    Parameters
    ----------
    name
        Name in the reader's menu: (0028,1055) *Window Center & Width Explanation* or our own.
    window_center, window_width
        In the units of the Modality LUT's output. The width is above 0.
    function
        How values are mapped to brightness.
    lut
        For a film with a VOI LUT Sequence: the brightness in ``[0, 1]`` of evenly spaced values
        across ``window_center ± window_width / 2``, used instead of `function`. Empty otherwise.
    """

    name: str
    window_center: float
    window_width: float
    function: VOILUTFunction = VOILUTFunction.LINEAR_EXACT
    lut: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """How far apart the centres of neighbouring pixels are.

    Parameters
    ----------
    down_mm, across_mm
        Vertically and horizontally, in mm; above 0.
    basis
        ``calibrated``: corrected for magnification, so that lengths are those of the body;
        ``at the detector``: lengths of the body are shorter; ``not stated``: the file does not say
        which of both.
    """

    down_mm: float
    across_mm: float
    basis: Literal["calibrated", "at the detector", "not stated"]


@dataclass(frozen=True, slots=True)
class Softcopy:
    """Input of the viewer: values before windowing, and the available windows.

    Parameters
    ----------
    values
        ``uint16``, shape ``(rows, columns)``: ``round((modality value - origin) / step)``.
    origin, step
        The Modality LUT's output is ``origin + step * values``.
    windows
        At least one; the first is the film's own and is used when the film is opened.
    inverted
        True if small values are dense (MONOCHROME1): the brightness must be inverted to show bone
        bright.
    remarks, colour_fraction
        As in `Radiograph`.
    hidden
        True where a display shutter hides the film, of the shape of `values`; None if nothing is
        hidden. Its `values` show it nearly so in any window.
    hidden_brightness
        How it is shown there, in ``[0, 1]``, whatever the window and the polarity.
    spacing
        Of `values`; None if the file does not state it.
    """

    values: Values
    origin: float
    step: float
    windows: tuple[Window, ...] = field(default_factory=tuple)
    inverted: bool = False
    remarks: tuple[str, ...] = ()
    colour_fraction: float = 0.0
    hidden: NDArray[np.bool_] | None = None
    hidden_brightness: float = 0.0
    spacing: PixelSpacing | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.uint16:
            found = f"{self.values.dtype} {self.values.shape}"
            raise ValueError(f"values must be uint16 (rows, columns), got {found}")
        if not self.windows:
            raise ValueError("a film needs at least one window to be shown")
        self.values.flags.writeable = False
