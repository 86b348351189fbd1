"""What the report says, as DCMTK reads it."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from cxr_app.destination import ResultKind
from cxr_app.radiograph import Header
from tests.support.dicom_programs import iod_errors, report_text
from tests.support.factories import dicom_bytes
from tests.support.results import SCORED_AT, result_object

FINDING = '(121071,DCM,"Finding")=(233604007,SCT,"Pneumonia")'


@pytest.mark.parametrize(
    ("flagged", "probability", "summary"),
    [
        (True, 0.872512, '(111242,DCM,"All algorithms succeeded; with findings")'),
        (False, 0.041, '(111241,DCM,"All algorithms succeeded; without findings")'),
    ],
)
def test_the_report_says_flagged_or_not_and_never_that_something_is_absent(
    flagged: bool, probability: float, summary: str, tmp_path: Path
) -> None:
    report = result_object(
        ResultKind.REPORT, dicom_bytes(), flagged=flagged, pneumonia_probability=probability
    )
    said = report_text(report, tmp_path)
    assert summary in said
    assert (FINDING in said) == flagged
    assert f'(122157,DCM,"Probability")="{probability}"' in said
    assert '(122411,DCM,"Threshold Value")="0.2915"' in said
    assert 'Algorithm Version")="pneumonia-a41c9f02"' in said
    assert "operating point: balanced" in said
    assert "absent" not in said.lower()
    assert "normal" not in said.lower()


def test_a_threshold_that_is_missed_by_little_is_shown_as_missed(tmp_path: Path) -> None:
    report = result_object(
        ResultKind.REPORT, dicom_bytes(), flagged=False, pneumonia_probability=0.291488
    )
    said = report_text(report, tmp_path)
    assert '"Probability")="0.291488"' in said


def test_a_report_is_preliminary_unverified_and_names_the_one_that_it_replaces(
    tmp_path: Path,
) -> None:
    data = dicom_bytes()
    earlier = SCORED_AT - timedelta(days=1)
    first = result_object(ResultKind.REPORT, data, scored_at=earlier)
    second = result_object(ResultKind.REPORT, data, predecessor_scored_at=earlier)
    assert "PredecessorDocumentsSequence" not in first
    (study,) = second.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (named,) = series.ReferencedSOPSequence
    assert named.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert (second.VerificationFlag, second.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    report_text(second, tmp_path)


def test_a_report_names_the_other_films_of_the_study_by_their_series(tmp_path: Path) -> None:
    data = dicom_bytes()
    own = dcmread(BytesIO(data))
    cr = "1.2.840.10008.5.1.4.1.1.1"
    beside = (
        Header(
            sop_class_uid=cr, sop_instance_uid="1.2.5", series_instance_uid=own.SeriesInstanceUID
        ),
        Header(sop_class_uid=cr, sop_instance_uid="1.2.6", series_instance_uid="1.2.60"),
        Header(sop_class_uid=cr, sop_instance_uid="1.2.7", series_instance_uid="1.2.60"),
    )
    report = result_object(ResultKind.REPORT, data, beside=beside)
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    named = [
        [each.ReferencedSOPInstanceUID for each in series.ReferencedSOPSequence]
        for series in study.ReferencedSeriesSequence
    ]
    assert named == [[own.SOPInstanceUID, "1.2.5"], ["1.2.6", "1.2.7"]]
    assert iod_errors(report, tmp_path) == []
    report_text(report, tmp_path)


def test_words_that_the_film_has_no_letters_for_are_written_without_them(tmp_path: Path) -> None:
    report = result_object(
        ResultKind.REPORT, dicom_bytes(), model_version="Lungenentzündung №1 – größer"
    )
    assert "Lungenentzundung No1 ? gro?er" in report_text(report, tmp_path)
