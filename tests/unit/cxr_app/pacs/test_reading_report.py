"""What readers said, as DCMTK reads it from the second report."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from cxr_app.destination import ResultKind
from cxr_app.errors import CxrError
from cxr_app.pacs.reading_report import judged_verdict, reading_report, reviews_at
from cxr_app.worklist import Cause, Review, Verdict
from tests.support.dicom_programs import iod_errors, report_text
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.results import INSTALLATION, SCORED_AT, result_object, review, scored_film

PNEUMONIA = '(121071,DCM,"Finding")=(233604007,SCT,"Pneumonia")'
LATER = SCORED_AT + timedelta(minutes=5)


def report(*reviews: Review, data: bytes = b"") -> Dataset:
    """Build the report of reviews, the newest first."""
    flagged = reviews[-1].flagged
    film = scored_film(data or dicom_bytes(), flagged=flagged)
    return reading_report(film, reviews, INSTALLATION)


@pytest.mark.parametrize(
    ("verdict", "flagged", "said", "finding"),
    [
        (Verdict.AGREE, True, "Agrees: flagged", True),
        (Verdict.AGREE, False, "Agrees: not flagged", False),
        (Verdict.DISAGREE, True, "Disagrees: flagged", False),
        (Verdict.DISAGREE, False, "Disagrees: not flagged", True),
        (Verdict.UNSURE, True, "Unsure", False),
        (Verdict.UNUSABLE, False, "Film cannot be judged", False),
    ],
)
def test_a_verdict_is_about_the_flag_and_never_that_something_is_absent(
    verdict: Verdict, flagged: bool, said: str, finding: bool, tmp_path: Path
) -> None:
    made = report(review(verdict=verdict, flagged=flagged))
    text = report_text(made, tmp_path)
    assert '"Reader\'s verdict on the flag")=' in text
    assert f'"{said}")' in text
    assert (PNEUMONIA in text) == finding
    assert "absent" not in text.lower()
    assert "normal" not in text.lower()
    assert "no pneumonia" not in text.lower()
    assert iod_errors(made, tmp_path) == []


def test_the_cause_the_reader_and_the_comments_are_named(tmp_path: Path) -> None:
    first = review(cause=Cause.BACTERIAL)
    second = review(reader="Quist", verdict=None, comment="Seen on rounds.", reviewed_at=LATER)
    made = report(second, first)
    text = report_text(made, tmp_path)
    assert '(53084003,SCT,"Bacterial pneumonia")' in text
    assert "Dr. Łucja Weiß" in text
    assert "Right base – see the late" in text  # dsrdump shortens it
    assert "Quist: Seen on rounds." in text
    assert "flagged, probability 0.87" in text
    assert iod_errors(made, tmp_path) == []


def test_a_patient_in_another_character_set_keeps_the_name(tmp_path: Path) -> None:
    film = radiograph_dataset(
        SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎"
    )
    made = report(review(), data=dicom_bytes(film))
    file = BytesIO()
    made.save_as(file, enforce_file_format=True)
    arrived = dcmread(BytesIO(file.getvalue()))
    assert arrived.SpecificCharacterSet == "ISO_IR 192"
    assert str(arrived.PatientName) == "Yamada^Tarou=山田^太郎"


def test_a_verdict_that_was_taken_back_is_no_finding_and_the_change_is_a_new_instance(
    tmp_path: Path,
) -> None:
    verdict = review(number=1, is_taken_back=True)
    withdrawal = review(number=2, verdict=None, comment="", takes_back=1, reviewed_at=LATER)
    text = report_text(report(withdrawal, verdict), tmp_path)
    assert "Verdict taken back" in text
    assert PNEUMONIA not in text


def test_a_changed_reading_names_the_one_before() -> None:
    data = dicom_bytes()
    first = result_object(ResultKind.READING, data)
    second = result_object(
        ResultKind.READING, data, scored_at=LATER, predecessor_scored_at=SCORED_AT
    )
    assert first.SOPInstanceUID != second.SOPInstanceUID
    (study,) = second.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert first.SOPInstanceUID != result_object(ResultKind.REPORT, data).SOPInstanceUID


def test_a_repeat_shows_the_reviews_as_they_were_at_the_moment() -> None:
    verdict = review(number=1, is_taken_back=True)
    withdrawal = review(number=2, verdict=None, takes_back=1, reviewed_at=LATER)
    (then,) = reviews_at([withdrawal, verdict], SCORED_AT)
    assert not then.is_taken_back
    assert reviews_at([withdrawal, verdict], LATER)[1].is_taken_back


def test_without_a_verdict_there_is_nothing_to_report() -> None:
    with pytest.raises(CxrError, match="verdict"):
        judged_verdict([review(verdict=None)])


@pytest.mark.parametrize("reader", ["Weiss^Anna=X\\Y", "^", "=" * 80, "ü" * 90, "Dr. A. B. Weiss"])
def test_any_name_of_a_reader_can_be_written(reader: str, tmp_path: Path) -> None:
    assert iod_errors(report(review(reader=reader)), tmp_path) == []
