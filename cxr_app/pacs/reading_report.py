"""What readers said of a film's flag, as a second structured report beside the program's.

It names the flag that a reader agrees or disagrees with; it never says that pneumonia is absent.
The codes of a verdict are this program's own, for none of the standard means them.

References
----------
DICOM PS3.16 TID 1500, 1411, 1003 (person observer).
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime

from highdicom.sr import (
    CodedConcept,
    FindingSite,
    MeasurementsAndQualitativeEvaluations,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    QualitativeEvaluation,
    RelationshipTypeValues,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.coding import Code

from cxr_app.destination import ResultKind
from cxr_app.errors import CxrError
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.pacs.sr_document import (
    LUNG,
    PNEUMONIA,
    content_tree,
    source_image,
    sr_document,
)
from cxr_app.pacs.zone_groups import OWN_CODES
from cxr_app.worklist import Cause, Review, Verdict, last_verdict

PERSON = CodedConcept("121006", "DCM", "Person")
COMMENT = CodedConcept("121106", "DCM", "Comment")
READER_VERDICT = Code("reader-verdict", OWN_CODES, "Reader's verdict on the flag")
JUDGED = CodedConcept("judged-result", OWN_CODES, "Result that was judged")
FINDINGS: dict[Cause | None, Code] = {
    Cause.BACTERIAL: Code("53084003", "SCT", "Bacterial pneumonia"),
    Cause.VIRAL: Code("75570004", "SCT", "Viral pneumonia"),
}
_WITHOUT_FLAG: dict[Verdict | None, Code] = {
    Verdict.UNSURE: Code("unsure", OWN_CODES, "Unsure"),
    Verdict.UNUSABLE: Code("unusable", OWN_CODES, "Film cannot be judged"),
}
_ON_FLAG: dict[tuple[Verdict | None, bool], Code] = {
    (Verdict.AGREE, True): Code("agree-flagged", OWN_CODES, "Agrees: flagged"),
    (Verdict.AGREE, False): Code("agree-unflagged", OWN_CODES, "Agrees: not flagged"),
    (Verdict.DISAGREE, True): Code("differ-flagged", OWN_CODES, "Disagrees: flagged"),
    (Verdict.DISAGREE, False): Code("differ-unflagged", OWN_CODES, "Disagrees: not flagged"),
}
TAKEN_BACK = Code("taken-back", OWN_CODES, "Verdict taken back")
_UTF_8 = "ISO_IR 192"
_LONGEST_NAME = 64
"""Of a component group of VR PN, in bytes, for some readers of DICOM count those."""
UNNAMED = "Unnamed reader"


def reviews_at(reviews: Sequence[Review], moment: datetime) -> list[Review]:
    """Return a film's reviews as they were at a moment, newest first.

    Parameters
    ----------
    reviews
        All of them, newest first.
    """
    then = [each for each in reviews if each.reviewed_at <= moment]
    gone = {each.takes_back for each in then}
    return [replace(each, is_taken_back=each.number in gone) for each in then]


def judged_verdict(reviews: Sequence[Review]) -> Review:
    """Return the verdict that a report is about: the last that holds, else the last.

    Parameters
    ----------
    reviews
        Newest first.

    Raises
    ------
    CxrError
        If no reader has said a verdict on a flag: then there is nothing to report.
    """
    verdicts = [each for each in reviews if each.verdict and each.flagged is not None]
    found = last_verdict(verdicts) or next(iter(verdicts), None)
    if found is None:
        raise CxrError("No reader has said a verdict on the flag.")
    return found


def reading_report(
    film: ScoredFilm, reviews: Sequence[Review], installation: Installation
) -> Dataset:
    """Build the report of what readers have said.

    Parameters
    ----------
    film
        With the result that the verdict is about, made when the last review was.
    reviews
        Up to then, newest first.

    Raises
    ------
    CxrError
        As `judged_verdict`.
    """
    verdict = judged_verdict(reviews)
    written = replace(film, header=_in_utf_8(film.header))
    reader = ObserverContext(
        observer_type=PERSON,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(
            name=_person_name(verdict.reader)
        ),
    )
    group = _group(written, verdict)
    comments = [each for each in reversed(reviews) if each.comment]
    group[0].ContentSequence.extend(_texts(written, verdict, comments))
    content = content_tree([group], installation, reader)
    return sr_document(written, installation, ResultKind.READING, content)


def _group(film: ScoredFilm, verdict: Review) -> MeasurementsAndQualitativeEvaluations:
    sees_it = verdict.pneumonia and not verdict.is_taken_back
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=film.tracking_uid, identifier="Reading"),
        finding_type=FINDINGS.get(verdict.cause, PNEUMONIA) if sees_it else None,
        finding_sites=[FindingSite(LUNG)],
        qualitative_evaluations=[QualitativeEvaluation(READER_VERDICT, _verdict_code(verdict))],
        source_images=[source_image(film)],
    )


def _verdict_code(verdict: Review) -> Code:
    if verdict.is_taken_back:
        return TAKEN_BACK
    on_flag = _ON_FLAG.get((verdict.verdict, bool(verdict.flagged)))
    return on_flag or _WITHOUT_FLAG[verdict.verdict]


def _texts(film: ScoredFilm, verdict: Review, comments: Sequence[Review]) -> list[TextContentItem]:
    flag = "flagged" if film.flagged else "not flagged"
    judged = (
        f"{flag}, probability {film.pneumonia_probability:.6f}, threshold {film.threshold:.6f}, "
        f"model {film.model_version}"
    )
    said = [(JUDGED, judged)]
    said += [
        (
            COMMENT,
            each.comment if each.reader == verdict.reader else f"{each.reader}: {each.comment}",
        )
        for each in comments
    ]
    return [
        TextContentItem(name, text, relationship_type=RelationshipTypeValues.CONTAINS)
        for name, text in said
    ]


def _person_name(reader: str) -> str:
    """Return a reader's name as the family name of a person: it has no marks of components."""
    words = reader.translate(dict.fromkeys(map(ord, "^=\\"), " ")).split()
    return " ".join(words).encode()[:_LONGEST_NAME].decode(errors="ignore") or UNNAMED


def _in_utf_8(header: Dataset) -> Dataset:
    """Return a header whose text is written in UTF-8, which has the letters of every reader."""
    copied = copy(header)
    copied.decode()
    copied.SpecificCharacterSet = _UTF_8
    return copied
