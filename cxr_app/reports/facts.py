"""What a report is made of: the readers' own words first, and what the model said beside them."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from cxr_app.lung_fields import Extent
from cxr_app.model.screening import MIRRORED
from cxr_app.radiograph import Header
from cxr_app.worklist import (
    AnnotationKind,
    Cause,
    Entry,
    Measurement,
    Review,
    Verdict,
    last_verdict,
)

NOT_READ = "not read"
DISPUTED = "readers differ"
UNKNOWN = "unknown"
_WITHOUT_ANSWER = {Verdict.UNUSABLE: "film not usable", Verdict.UNSURE: "unsure"}

_MEASURES = {
    AnnotationKind.LENGTH: "length",
    AnnotationKind.ANGLE: "angle",
    AnnotationKind.RATIO: "cardiothoracic ratio",
}


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The values that a template can name; a text is empty where a value is unknown.

    Parameters
    ----------
    header
        DICOM attributes by keyword; all empty for a film without a DICOM header.
    verdict
        ``pneumonia``, ``no pneumonia``, ``unsure``, ``film not usable``, ``not read``,
        ``readers differ``, or
        ``unknown`` if it was given on a flag that was not stored.
    cause
        ``bacterial``, ``viral`` or ``unclear``.
    reader, read_at
        Who gave the verdict, and when; None without one.
    comments
        The readers' comments, in the order they were written.
    taken_at
        When the film was taken, by its header.
    compared_with, compared_at
        The day of an earlier film of the patient, ``YYYYMMDD``, and what a reader saw on it.
    flagged, probability, threshold, model_version
        What the model said; None or empty without a score.
    zones
        The zones that the model's heat marks, largest share first, if the film is flagged.
    attested
        Whether the film was scored on a reader's word.
    measurements
        What readers measured, in words: ``length 123.4 mm (at the detector)``.
    key_image
        Whether a reader marked the film as a key image.
    """

    header: Header
    verdict: str
    cause: str
    reader: str
    read_at: datetime | None
    comments: tuple[str, ...]
    taken_at: datetime | None
    compared_with: str
    compared_at: str
    flagged: bool | None
    probability: float | None
    threshold: float | None
    model_version: str
    zones: tuple[str, ...]
    attested: bool
    measurements: tuple[str, ...] = ()
    key_image: bool = False


def facts_of(
    entry: Entry,
    reviews: Sequence[Review],
    extent: Extent | None = None,
    earlier: tuple[Entry, Sequence[Review]] | None = None,
    measurements: Sequence[Measurement] = (),
    disputed: Container[str] = (),
) -> ReportFacts:
    """Collect what is known of a film.

    Parameters
    ----------
    reviews
        Of the film, newest first.
    extent
        How much of the lungs the heat marks; None if it is unknown or may not be shown.
    earlier
        The film that it is compared with, and that film's reviews; None for none.
    measurements
        On the film, oldest first; key images among them.
    disputed
        Ids of the films in which readers differ: these have no verdict until it is settled.
    """
    last = None if entry.id in disputed else last_verdict(reviews)
    compared = earlier[0].header.study_date if earlier and earlier[0].header else ""
    return ReportFacts(
        header=entry.header or Header(),
        verdict=_verdict(entry, reviews, disputed),
        cause=last.cause.value.lower() if last and last.pneumonia and last.cause else "",
        reader=last.reader if last else "",
        read_at=last.reviewed_at if last else None,
        comments=tuple(each.comment for each in reversed(reviews) if each.comment),
        taken_at=entry.acquired_at,
        compared_with=compared,
        compared_at=_verdict(*earlier, disputed) if earlier else "",
        flagged=entry.flagged,
        probability=entry.pneumonia_probability,
        threshold=entry.threshold,
        model_version=entry.model_version,
        zones=_marked(extent, entry.remarks) if entry.flagged and extent else (),
        attested=entry.attestation is not None,
        measurements=tuple(_measured(each) for each in measurements if each.kind in _MEASURES),
        key_image=any(each.kind is AnnotationKind.KEY_IMAGE for each in measurements),
    )


def verdict_words(review: Review | None) -> str:
    """Return what a reader saw, in a few words."""
    if review is None:
        return NOT_READ
    if review.pneumonia is None:
        return _WITHOUT_ANSWER.get(review.verdict, UNKNOWN) if review.verdict else UNKNOWN
    return "pneumonia" if review.pneumonia else "no pneumonia"


def _verdict(entry: Entry, reviews: Sequence[Review], disputed: Container[str]) -> str:
    return DISPUTED if entry.id in disputed else verdict_words(last_verdict(reviews))


def cause_of(facts: ReportFacts) -> Cause | None:
    """Return the cause that the reader named."""
    return Cause(facts.cause.upper()) if facts.cause else None


def _measured(measurement: Measurement) -> str:
    words = measurement.words.removeprefix("CTR ")
    return f"{_MEASURES[measurement.kind]} {words}"


def _marked(extent: Extent, remarks: Sequence[str]) -> tuple[str, ...]:
    """Return the zones that are marked, without their side if the film may be mirrored."""
    marked = [name for name, share in extent.zones.items() if share > 0]
    zones = sorted(marked, key=lambda name: -extent.zones[name])
    if MIRRORED in remarks:
        zones = [name.partition(" ")[2] for name in zones]
    return tuple(dict.fromkeys(zones))
