"""Uploaded films go when the site's retention time ends, once, and nothing else does."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from sqlalchemy import create_engine, text

from cxr_app.film_store import FilmStore
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.retention import Retention
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.settings import Settings
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query, Verdict, Worklist
from tests.support.outcomes import OPERATING_POINTS, prediction

PROJECT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 10, 7, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 30
WAIT_SECONDS = 30
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

KILLED_AFTER_THE_FILE = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from cxr_app.worklist import Worklist

def remove(sha256):
    Path(sys.argv[4]).unlink()
    os.kill(os.getpid(), signal.SIGKILL)

Worklist.open(sys.argv[1]).deletions.delete(
    sys.argv[2], datetime.fromisoformat(sys.argv[3]), remove
)
"""


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

    def is_kept(self, entry_id: str) -> bool:
        return self.worklist.entry(entry_id).path.exists()

    def deletions(self) -> int:
        """Count what the events say."""
        engine = create_engine(self.settings.worklist_url)
        with engine.connect() as connection:
            asked = "SELECT count(*) FROM worklist_event WHERE kind = 'FILM_DELETED'"
            found = connection.execute(text(asked)).scalar_one()
        engine.dispose()
        return int(found)


@pytest.fixture
def site(tmp_path: Path, worklist_url: str) -> Iterator[Site]:
    settings = Settings(data_dir=tmp_path / "data", database_url=worklist_url, retention_days=DAYS)
    opened = Site(settings, Clock())
    yield opened
    opened.worklist.close()


def test_a_film_goes_when_its_time_has_ended_and_no_sooner(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += DAYS * DAY
    assert site.retention.sweep() == 0
    assert site.is_kept(film)
    site.clock.now += timedelta(seconds=1)
    assert site.retention.sweep() == 1
    assert not site.is_kept(film)
    assert site.worklist.entry(film).film_deleted_at == site.clock.now
    assert site.retention.sweep() == 0
    assert site.deletions() == 1


def test_scores_and_reviews_stay_and_the_patient_goes(site: Site) -> None:
    film = site.read_film(b"film")
    before = site.worklist.entry(film)
    site.clock.now += 31 * DAY
    site.retention.sweep()
    entry = site.worklist.entry(film)
    assert entry.header == Header(patient_sex="F", view_position="AP")
    assert entry.source == ""
    assert entry.pneumonia_probability == before.pneumonia_probability
    assert (entry.read_by, entry.read_at) == ("Weiss", before.read_at)
    assert len(site.worklist.scores(film)) == 1
    assert [review.verdict for review in site.worklist.reviews.of_film(film)] == [Verdict.AGREE]
    for word in ("quuxlove", "zebedea", "QX-18151210", "QX-77", "1.2.77"):
        assert site.worklist.count(Query(state="all", text=word)) == 0
    assert site.worklist.count(Query(state="all", text=film[:8])) == 1
    engine = create_engine(site.settings.worklist_url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM worklist_entry")).one()
        events = connection.execute(text("SELECT * FROM worklist_event")).all()
    engine.dispose()
    told = f"{row} {events}".lower()
    assert not [fact for fact in PLANTED.values() if fact.lower() in told]


def bytes_of(site: Site) -> bytes:
    """Give all that the database keeps in files."""
    return b"".join(path.read_bytes() for path in site.settings.data_dir.glob("worklist.sqlite*"))


def test_no_byte_of_a_name_stays_in_the_files_of_the_worklist(tmp_path: Path) -> None:
    letters = "ⵣⴰⴽ"
    planted = [*PLANTED.values(), letters]
    site = Site(Settings(data_dir=tmp_path / "data", retention_days=DAYS), Clock())
    for number in range(30):
        site.upload(b"%d" % number, f"{number}.dcm")
    site.read_film(b"film")
    another = site.score(site.upload(b"another", f"{letters}.dcm"))
    site.worklist.mark_read(another, "Weiss")
    kept = bytes_of(site)
    assert all(word.encode() in kept for word in planted)
    site.clock.now += 31 * DAY
    assert site.retention.sweep() == 2
    kept = bytes_of(site).lower()
    site.worklist.close()
    assert len(kept) > 50_000
    assert not [word for word in planted if word.lower().encode() in kept]
    assert letters[:2].encode() not in kept, "the search index keeps them three by three"


def test_what_training_has_decoded_goes_with_the_film(site: Site) -> None:
    site.read_film(b"film")
    site.retention.sweep()  # the first forgets what a killed server may have left
    cache = site.settings.cache_dir
    cache.mkdir()
    for name in ("whole.npy", "begun.partial.npy"):
        (cache / name).write_bytes(b"pixels")
    site.retention.sweep()
    assert (cache / "whole.npy").exists()
    site.clock.now += 31 * DAY
    site.retention.sweep()
    assert [path.name for path in cache.iterdir()] == ["begun.partial.npy"]


def test_what_a_killed_server_left_of_a_name_goes_with_the_next_sweep(tmp_path: Path) -> None:
    site = Site(Settings(data_dir=tmp_path / "data", retention_days=DAYS), Clock())
    film = site.read_film(b"film")
    site.clock.now += 31 * DAY
    site.worklist.deletions.delete(film, site.clock.now, site.films.delete)
    assert b"Zebedea" in bytes_of(site)
    assert site.retention.sweep() == 0
    assert b"Zebedea" not in bytes_of(site)
    site.worklist.close()


def test_a_name_that_somebody_reads_just_now_goes_with_the_next_sweep(tmp_path: Path) -> None:
    site = Site(Settings(data_dir=tmp_path / "data", retention_days=DAYS), Clock())
    site.read_film(b"film")
    site.clock.now += 31 * DAY
    reader = sqlite3.connect(site.settings.data_dir / "worklist.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM worklist_entry").fetchall()
    assert site.retention.sweep() == 1
    assert b"Zebedea" in bytes_of(site)
    reader.close()
    assert site.retention.sweep() == 0
    assert b"Zebedea" not in bytes_of(site)
    site.worklist.close()


def test_what_is_unread_unscored_or_lies_elsewhere_stays(site: Site, tmp_path: Path) -> None:
    unread = site.score(site.upload(b"unread"))
    unscored = site.upload(b"unscored")
    site.worklist.mark_read(unscored, "Weiss")
    taken_back = site.read_film(b"taken back")
    site.worklist.mark_read(taken_back, read=False)
    elsewhere = tmp_path / "backlog.dcm"
    elsewhere.write_bytes(b"backlog")
    backlog, _ = site.worklist.receive("b" * 64, "backlog.dcm", elsewhere)
    site.worklist.mark_read(site.score(backlog), "Weiss")
    site.clock.now += 1000 * DAY
    assert site.retention.sweep() == 0
    assert all(map(site.is_kept, (unread, unscored, taken_back, backlog)))


@pytest.mark.parametrize("folder", ["0", "films", "films0", "g"])
def test_folders_that_are_named_alike_are_not_the_film_store(site: Site, folder: str) -> None:
    path = site.settings.data_dir / folder / "ab" / "film"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"film")
    film, _ = site.worklist.receive("c" * 64, "film", path)
    site.worklist.mark_read(site.score(film), "Weiss")
    site.clock.now += 31 * DAY
    site.retention.sweep()
    assert path.exists()


def test_without_a_retention_time_films_stay_for_ever(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += 10_000 * DAY
    settings = site.settings.model_copy(update={"retention_days": 0})
    keeper = Retention(settings, site.worklist, site.clock)
    keeper.start()
    keeper.stop()
    assert keeper.sweep() == 0
    assert site.is_kept(film)


def test_a_crash_between_file_and_record_is_mended_by_the_next_sweep(site: Site) -> None:
    film = site.read_film(b"film")
    path = site.worklist.entry(film).path
    site.clock.now += 31 * DAY
    arguments = [site.settings.worklist_url, film, (site.clock.now - DAY).isoformat(), str(path)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_THE_FILE, *arguments], cwd=PROJECT, check=False
    )
    assert killed.returncode == -9
    assert not path.exists()
    assert (site.worklist.entry(film).film_deleted_at, site.deletions()) == (None, 0)
    assert site.retention.sweep() == 1
    assert site.worklist.entry(film).film_deleted_at == site.clock.now
    assert site.deletions() == 1


def test_a_film_that_cannot_be_deleted_holds_up_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = site.read_film(b"stuck")
    path = site.worklist.entry(stuck).path
    path.unlink()
    path.mkdir()  # what cannot be unlinked, whoever asks
    site.clock.now += DAY
    free = site.read_film(b"free")
    site.clock.now += 31 * DAY
    assert site.retention.sweep() == 1
    assert not site.is_kept(free)
    assert site.worklist.entry(stuck).film_deleted_at is None
    assert "Check that this user may write there" in caplog.text
    path.rmdir()
    assert site.retention.sweep() == 1
    assert site.deletions() == 2


def test_of_several_servers_one_records_a_deletion(site: Site) -> None:
    for number in range(20):
        site.read_film(b"%d" % number)
    site.clock.now += 31 * DAY
    keepers = [Retention(site.settings, site.worklist, site.clock) for _ in range(4)]
    threads = [Thread(target=keeper.sweep) for keeper in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.deletions() == 20


def test_the_thread_of_the_server_sweeps_at_once(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += 31 * DAY
    site.retention.start()
    deadline = monotonic() + WAIT_SECONDS
    while not site.deletions() and monotonic() < deadline:
        sleep(0.02)
    site.retention.stop()
    assert not site.is_kept(film)


def test_a_film_sent_again_comes_back_to_be_scored_and_read(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += 31 * DAY
    site.retention.sweep()
    assert site.upload(b"film", "again.dcm") == film
    (waiting,) = site.worklist.next_received()
    assert (waiting.id, waiting.source, waiting.received_at) == (film, "again.dcm", site.clock.now)
    assert (waiting.film_deleted_at, waiting.read_at) == (None, None)
    site.clock.now += 1000 * DAY
    assert site.retention.sweep() == 0
    site.score(film)
    entry = site.worklist.entry(film)
    assert (entry.model_version, entry.header and entry.header.patient_id) == (
        "model-1",
        PLANTED["patient_id"],
    )
    assert len(site.worklist.scores(film)) == 1
    assert site.worklist.count(Query(text="zebedea")) == 1
    assert site.is_kept(film)


def test_a_score_that_comes_late_brings_no_patient_back(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += 31 * DAY
    site.retention.sweep()
    site.score(film, "model-2")
    entry = site.worklist.entry(film)
    assert (entry.model_version, entry.header) == (
        "model-2",
        Header(patient_sex="F", view_position="AP"),
    )
    assert site.worklist.count(Query(state="all", text="zebedea")) == 0


def test_nobody_trains_on_a_film_that_is_gone(site: Site) -> None:
    site.read_film(b"film")
    assert len(list(site.worklist.reviews.reviewed_films())) == 1
    site.clock.now += 31 * DAY
    site.retention.sweep()
    assert list(site.worklist.reviews.reviewed_films()) == []


class Sent:
    """A file from the browser."""

    name = "again.dcm"

    def getvalue(self) -> bytes:
        return b"film"


def test_a_film_sent_while_it_is_deleted_is_kept(site: Site) -> None:
    """The store still has it when it is kept, and no longer when it is entered."""
    film = site.read_film(b"film")
    site.clock.now += 31 * DAY

    class Slow(FilmStore):
        def keep(self, data: bytes) -> str:
            sha256 = super().keep(data)
            site.retention.sweep()
            return sha256

    class Deaf(ScoringEngine):
        def __init__(self) -> None:
            """Have no thread."""

        def wake(self) -> None:
            """Hear nothing."""

    queue = UploadQueue(site.worklist, Slow(site.films.root), Deaf())
    queue.take([Sent()])
    assert queue._thread is not None
    queue._thread.join()
    assert site.deletions() == 1
    assert site.is_kept(film)
    assert site.worklist.entry(film).film_deleted_at is None


def test_a_film_of_a_backlog_that_is_uploaded_too_is_kept_as_one(
    site: Site, tmp_path: Path
) -> None:
    """Or its copy would stay for ever: the entry would say that the film lies elsewhere."""
    elsewhere = tmp_path / "backlog.dcm"
    elsewhere.write_bytes(b"film")
    sha256 = site.films.keep(b"film")
    film, _ = site.worklist.receive(sha256, "backlog.dcm", elsewhere)
    assert site.upload(b"film") == film
    assert site.worklist.entry(film).source == "backlog.dcm"
    site.worklist.mark_read(site.score(film), "Weiss")
    site.clock.now += 31 * DAY
    assert site.retention.sweep() == 1
    assert elsewhere.exists()
    assert not site.films.has(sha256)
