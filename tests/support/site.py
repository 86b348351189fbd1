"""A data folder whose site deletes read films after a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine, text

from cxr_app.film_store import FilmStore
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.worklist import Verdict, Worklist
from tests.support.outcomes import OPERATING_POINTS, prediction

NOON = datetime(2026, 10, 7, 12, 0, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
DAYS = 30
PLANTED = {
    "patient_name": "Quuxlove^Zebedea",
    "patient_id": "QX-18151210",
    "patient_birth_date": "19151210",
    "accession_number": "QX-77",
    "study_description": "for Quuxlove",
    "study_instance_uid": "1.2.77",
    "series_instance_uid": "1.2.78",
    "sop_instance_uid": "1.2.79",
}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A data folder whose site keeps films for `DAYS`, and a clock to move."""

    settings: Settings
    clock: Clock

    def __post_init__(self) -> None:
        self.worklist = Worklist.open(self.settings.worklist_url, self.clock)
        self.films = FilmStore(self.settings.films_dir)
        self.retention = Retention(self.settings, self.worklist, self.clock)

    def upload(self, data: bytes, name: str = "Quuxlove.dcm") -> str:
        sha256 = self.films.keep(data)
        return self.worklist.receive(sha256, name, self.films.path(sha256))[0]

    def score(self, entry_id: str, model_version: str = "model-1") -> str:
        sha256 = self.worklist.entry(entry_id).sha256
        return self.worklist.record(
            Outcome(
                sha256,
                ScoringState.SCORED,
                Priority.HIGH,
                prediction=prediction(0.8, model_version),
                operating_point=OPERATING_POINTS["balanced"],
                header=Header(**PLANTED, patient_sex="F", view_position="AP"),
                file_format="DICOM",
            )
        )

    def read_film(self, data: bytes) -> str:
        """Upload, score and read a film now."""
        entry_id = self.score(self.upload(data))
        self.worklist.reviews.add(entry_id, "Weiss", Verdict.AGREE)
        return entry_id

    def days_pass(self, days: int = DAYS + 2) -> int:
        """Let days pass, with a sweep at the end of each; return how many films were deleted.

        By default as many as a film that was just read needs: kept, marked, deleted.
        """
        deleted = 0
        for _ in range(days):
            self.clock.now += DAY
            deleted += self.retention.sweep()
        return deleted

    def is_kept(self, entry_id: str) -> bool:
        return self.worklist.entry(entry_id).path.exists()

    def deletions(self) -> int:
        """Count the events of deletion."""
        engine = create_engine(self.settings.worklist_url)
        with engine.connect() as connection:
            query = "SELECT count(*) FROM worklist_event WHERE kind = 'FILM_DELETED'"
            found = connection.execute(text(query)).scalar_one()
        engine.dispose()
        return int(found)
