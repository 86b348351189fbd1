"""May the model speak on this film? Answered by header, pixels, view and age.

The header is checked first, then the pixels. What a header does not say is no reason for refusal: a
film without modality, as every JPEG and PNG, is judged by its pixels alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PIL import Image as PillowImage

from cxr_app.lung_fields import LungFields
from cxr_app.patient_age import age_in_years
from cxr_app.radiograph import Header, Radiograph
from cxr_app.view_words import LATERAL, REASONS, stated_view

MIN_SIDE = 112
"""Half the side of the films that the model learned from (224): below it, detail is invented."""
MAX_ASPECT_RATIO = 3.0
MIN_CONTRAST = 0.1
"""Between the 2nd and the 98th percentile."""
MIN_GREY_LEVELS = 16
MAX_COLOUR_FRACTION = 0.05

_SAMPLE_SIDE = 512

UNRELIABLE = "How far its probability can be relied on is unknown."
MIRRORED = (
    "The film may be mirrored: what looks like the heart lies on the other side. Compare with "
    "the side marker."
)
NO_LUNGS = "Two lungs could not be found; the whole film was scored."

_NOT_RADIOGRAPHS = {
    "BI": "an ultrasound biomicroscopy",
    "BMD": "a bone density measurement",
    "CT": "a CT image",
    "DOC": "a document",
    "ECG": "an ECG",
    "ES": "an endoscopy image",
    "GM": "a microscopy image",
    "IO": "a dental radiograph",
    "IVOCT": "an intravascular OCT image",
    "IVUS": "an intravascular ultrasound image",
    "KO": "a key object selection",
    "MG": "a mammogram",
    "MR": "an MR image",
    "NM": "a nuclear medicine image",
    "OCT": "an OCT image",
    "OP": "an ophthalmic photograph",
    "OPT": "an ophthalmic tomography image",
    "PR": "a presentation state",
    "PT": "a PET image",
    "PX": "a panoramic dental radiograph",
    "RTDOSE": "a radiotherapy dose",
    "RTIMAGE": "a radiotherapy image",
    "RTSTRUCT": "a radiotherapy structure set",
    "SEG": "a segmentation",
    "SM": "a slide microscopy image",
    "SR": "a structured report",
    "US": "an ultrasound image",
    "XA": "an angiogram",
    "XC": "an external photograph",
}
"""(0008,0060) *Modality*, of what is plainly no film. Others (CR, DX, RF, OT, ...) may be one."""

_SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1.2": "MG",
    "1.2.840.10008.5.1.4.1.1.1.2.1": "MG",
    "1.2.840.10008.5.1.4.1.1.1.3": "IO",
    "1.2.840.10008.5.1.4.1.1.1.3.1": "IO",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.3.1": "US",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.6.1": "US",
    "1.2.840.10008.5.1.4.1.1.12.1": "XA",
    "1.2.840.10008.5.1.4.1.1.12.1.1": "XA",
    "1.2.840.10008.5.1.4.1.1.20": "NM",
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.481.1": "RTIMAGE",
    "1.2.840.10008.5.1.4.1.1.481.2": "RTDOSE",
}
"""(0008,0016) *SOP Class UID* (PS3.4 B.5), for a file that leaves its modality out or says OT."""

_CHEST = re.compile(r"CHEST|THORAX|LUNG|RIB|BABYGRAM|WHOLE ?BODY")
_OTHER_PARTS = re.compile(
    r"SPINE|SKULL|HEAD|BRAIN|FACE|SINUS|JAW|MANDIBLE|TEETH|TOOTH|ORBIT|NECK|ABDO|PELVIS|HIP|"
    r"EXTREMITY|ARM|ELBOW|WRIST|HAND|FINGER|THUMB|HUMERUS|RADIUS|ULNA|SHOULDER|CLAVICLE|SCAPULA|"
    r"LEG|KNEE|FOOT|FEET|TOE|ANKLE|FEMUR|TIBIA|FIBULA|CALCANEUS|PATELLA|HEEL|SACRUM|COCCYX|BREAST|"
    r"BLADDER|KIDNEY"
)
_DERIVED = {"LOCALIZER", "AXIAL", "MPR", "REFORMATTED", "MIP", "DOSE_INFO"}


Ages = Sequence[tuple[int, int]]
"""First and last age of each group of patients, in completed years."""

TODDLERS: Ages = ((1, 5),)
"""Ages that a model learned from if its checkpoint does not say."""
OLDEST = 120
"""A last age from which a group has no upper end."""
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)


class ViewClass(Enum):
    """What a picture shows, in the order of the logits of `networks.view.ViewNetwork`."""

    UPRIGHT = "upright"
    MIRRORED = "mirrored"
    TURNED_LEFT = "turned left"
    UPSIDE_DOWN = "upside down"
    TURNED_RIGHT = "turned right"
    NEGATIVE = "negative"
    OTHER = "other"


_VIEW_REASONS = {
    ViewClass.TURNED_LEFT: "it seems to lie on its side. Turn it upright and send it again.",
    ViewClass.TURNED_RIGHT: "it seems to lie on its side. Turn it upright and send it again.",
    ViewClass.UPSIDE_DOWN: "it seems to stand upside down. Turn it upright and send it again.",
    ViewClass.NEGATIVE: "its greys seem to be inverted. Export it with bone bright and air dark.",
    ViewClass.OTHER: "it does not look like a frontal chest film.",
}


def screen(radiograph: Radiograph, *, attested: bool = False) -> str | None:
    """Check header and pixels; return why a film must not be scored, or None if it may be.

    Parameters
    ----------
    radiograph
        A film that could be read. One without header is judged by its pixels.
    attested
        Whether a person has said that it is a frontal chest film: what its header says otherwise
        does not count. What makes its pixels unfit still does.
    """
    header = None if attested else radiograph.header
    reason = _header_reason(header) if header else None
    return _refusal(reason or radiograph.objection or _pixel_reason(radiograph))


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether the model may speak on a film.

    Parameters
    ----------
    refusal
        Why not, in one sentence for the reader; None if it may.
    remarks
        What the reader should know of a film that is scored.
    """

    refusal: str | None = None
    remarks: tuple[str, ...] = ()


def screen_view(
    view: ViewClass | None,
    header: Header | None = None,
    ages: Ages = TODDLERS,
    *,
    rejects_other_ages: bool = False,
) -> Screening:
    """Check the view that the view network found, and the patient's age.

    Parameters
    ----------
    view
        What the picture shows; None if a person has said that it is a frontal chest film, and how
        it lies.
    header
        Source of the age; None for a film without header.
    ages
        That the model learned from.
    rejects_other_ages
        Whether patients outside the training population are refused, or scored with a remark.
    """
    outside = screen_age(header, ages)
    refusal = _refusal(_VIEW_REASONS.get(view)) if view else None
    if refusal is None and outside and rejects_other_ages:
        refusal = _refusal(outside)
    if refusal is not None:
        return Screening(refusal)
    age_remark = f"{outside} {UNRELIABLE}" if outside else ""
    mirrored_remark = MIRRORED if view is ViewClass.MIRRORED else ""
    return Screening(remarks=tuple(filter(None, (age_remark, mirrored_remark))))


def screen_age(header: Header | None, ages: Ages = TODDLERS) -> str | None:
    """Return a sentence if the patient is outside the training ages; None if inside or unknown.

    The age at the study is that of (0010,1010) *Patient's Age*, or else the time from birth to
    study. What the header does not say is no reason.
    """
    years = _age_in_years(header) if header else None
    if years is None or any(first <= years < last + 1 for first, last in ages):
        return None
    groups = " or ".join(
        f"{first} years and over" if last >= OLDEST else f"{first} to {last} years"
        for first, last in ages
    )
    return f"By its header, the patient is outside the ages that the model learned from ({groups})."


def _age_in_years(header: Header) -> float | None:
    stated = age_in_years(header.patient_age)
    if stated is not None:
        return stated
    born, taken = map(_DATE.fullmatch, (header.patient_birth_date, header.study_date))
    if born is None or taken is None:
        return None
    first, second = (tuple(map(int, date.groups())) for date in (born, taken))
    years = second[0] - first[0] - (second[1:] < first[1:])
    return float(years) if years >= 0 else None


def _refusal(reason: str | None) -> str | None:
    return f"The film was not scored: {reason}" if reason else None


def lung_remarks(lungs: LungFields | None) -> tuple[str, ...]:
    """Return what the reader should know of how the lungs were found; None if nothing looked."""
    if lungs is None:
        return ()
    if not lungs.found:
        return (f"{NO_LUNGS} {UNRELIABLE}",)
    if not lungs.cut_off:
        return ()
    edges = f"{' and '.join(lungs.cut_off)} edge{'s' if len(lungs.cut_off) > 1 else ''}"
    return (f"A lung seems to be cut off at the {edges} of the film.",)


def shows_no_chest(header: Header | None) -> bool:
    """Check whether a header says plainly that a file is no chest film; False in doubt."""
    return header is not None and bool(
        _modality_reason(header) or _body_part_reason(header.body_part_examined)
    )


def _header_reason(header: Header) -> str | None:
    return (
        _modality_reason(header)
        or _body_part_reason(header.body_part_examined)
        or _view_reason(header)
        or _image_type_reason(header.image_type)
    )


def _modality_reason(header: Header) -> str | None:
    modality = header.modality.strip().upper()
    if modality in ("", "OT", "SC"):
        modality = _SOP_CLASSES.get(header.sop_class_uid, modality)
    name = _NOT_RADIOGRAPHS.get(modality)
    return f"it is {name}, and only chest radiographs are scored." if name else None


def _body_part_reason(body_part_examined: str) -> str | None:
    part = body_part_examined.upper()
    other = _OTHER_PARTS.search(part)
    if other is None or (_CHEST.search(part) and other.group() != "SPINE"):
        return None
    return f"it shows another part of the body ({other.group().lower()}), not the chest."


def _view_reason(header: Header) -> str | None:
    """Check for a view from the side; without a View Position, rows that run front to back show it.

    References
    ----------
    DICOM PS3.3 C.8.11.5 (View Position) and C.7.6.1.1.1 (Patient Orientation).
    """
    runs_sideways = re.match(r"[AP](\\|$)", header.patient_orientation)
    if not header.view_position.strip() and runs_sideways:
        return REASONS[LATERAL]
    return REASONS.get(stated_view(header.view_position))


def _image_type_reason(image_type: str) -> str | None:
    if _DERIVED.isdisjoint(value.strip().upper() for value in image_type.split("\\")):
        return None
    return "it is a localizer or was computed from other images, and only films are scored."


def _pixel_reason(radiograph: Radiograph) -> str | None:
    short, long = sorted((radiograph.rows, radiograph.columns))
    size = f"{radiograph.rows} × {radiograph.columns} pixels"
    if short < MIN_SIDE:
        return f"it is too small to be read ({size}; each side needs at least {MIN_SIDE})."
    if long > MAX_ASPECT_RATIO * short:
        return f"it is a strip ({size}), and no chest film has such a shape."
    if radiograph.colour_fraction > MAX_COLOUR_FRACTION:
        return "it is a colour picture, and a radiograph has no colours."
    return _blank_reason(radiograph)


def _blank_reason(radiograph: Radiograph) -> str | None:
    stride = -(-min(radiograph.image.shape) // _SAMPLE_SIDE)
    greys = (radiograph.image[::stride, ::stride] * 255).astype(np.uint8)
    pixels = np.array(PillowImage.fromarray(greys).histogram())
    dark, bright = np.searchsorted(pixels.cumsum(), (0.02 * greys.size, 0.98 * greys.size))
    if bright - dark < MIN_CONTRAST * 255:
        return "it is blank or nearly so."
    levels = np.count_nonzero(pixels)
    if levels < MIN_GREY_LEVELS:
        return (
            f"it has only {levels} shades of grey: it is a drawing, a mask or a text, not a film."
        )
    return None
