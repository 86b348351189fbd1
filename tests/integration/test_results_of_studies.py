"""The report of a film names the films of its study that were there, whenever it is made."""

from pathlib import Path

from pydicom import Dataset

from cxr_app.destination import Destination, ResultKind
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.objects import FilmResults
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.scored_films import score_film

ARCHIVE = Destination.parse("ORTHANC@archive:4242")


def film(instance: str) -> bytes:
    ds = radiograph_dataset(
        film_pixels(60, 50),
        PatientID="P-1",
        StudyInstanceUID="1.2.3",
        SOPInstanceUID=instance,
        SeriesInstanceUID=f"{instance}.1",
    )
    return dicom_bytes(ds)


def reports(worklist: Worklist) -> list[Dataset]:
    """Return the report of each film, in the order of their scores."""
    sent = [each for each in worklist.outbox.newest() if each.kind is ResultKind.REPORT]
    made = []
    for outgoing in sorted(sent, key=lambda each: each.scored_at):
        results = FilmResults(worklist, Installation.of(worklist, "CXR"), outgoing)
        report = results.build(ResultKind.REPORT)
        assert report is not None
        made.append(report)
    return made


def named(report: Dataset) -> list[str]:
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    return [
        str(instance.ReferencedSOPInstanceUID)
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]


def test_a_repeat_of_a_report_is_the_same_when_further_films_have_come(
    worklist: Worklist, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    since = worklist.outbox.open(ARCHIVE)
    score_film(settings, worklist, film("1.2.4"))
    worklist.outbox.fill(ARCHIVE, since)
    (first,) = reports(worklist)
    score_film(settings, worklist, film("1.2.5"))
    worklist.outbox.fill(ARCHIVE, since)
    again, second = reports(worklist)
    assert str(again) == str(first)
    assert named(first) == ["1.2.4"]
    assert named(second) == ["1.2.5", "1.2.4"]
