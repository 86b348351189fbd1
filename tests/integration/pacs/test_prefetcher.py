"""Earlier films of flagged films' patients, fetched before a reader asks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxr_app.audit.event import AuditKind
from cxr_app.audit.log import AuditLog
from cxr_app.pacs.archive_lookup import LookupStatus
from cxr_app.pacs.prefetcher import SUPERSEDED, Prefetcher
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from cxr_app.ui.text import lookup_text
from cxr_app.worklist import PrefetchState, Worklist
from cxr_app.worklist.prefetch_queue import LEASE, MOST_TRIES
from tests.support.audited import events
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.orthanc import running
from tests.support.outcomes import scored, sha256
from tests.support.scored_films import score_film

AWAY = "AWAY@127.0.0.1:1"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def worklist(tmp_path: Path, clock: Clock) -> Iterator[Worklist]:
    opened = Worklist.open(Settings(data_dir=tmp_path / "data").worklist_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def away(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", films_from=AWAY, prefetch=True)


def state(worklist: Worklist, entry_id: str) -> PrefetchState | None:
    prefetch = worklist.prefetches.of_film(entry_id)
    return None if prefetch is None else prefetch.state


def test_a_flagged_films_patient_is_looked_for_once_and_it_is_in_the_audit(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, worklist: Worklist
) -> None:
    earlier = radiograph_dataset(StudyDate="20250301")
    other = radiograph_dataset(StudyDate="20250302", PatientBirthDate="20230502")
    with running(tmp_path_factory.mktemp("orthanc")) as orthanc:
        for ds in (earlier, other):
            orthanc.post("/instances", dicom_bytes(ds))
        address = f"{orthanc.title}@127.0.0.1:{orthanc.dicom_port}"
        settings = Settings(data_dir=tmp_path / "data", films_from=address, prefetch=True)
        audit = AuditLog.of(settings)
        film = score_film(settings, worklist, dicom_bytes())
        prefetcher = Prefetcher(settings, worklist, audit)
        assert prefetcher.fetch_once()
        assert not prefetcher.fetch_once()
    (came,) = worklist.next_received()
    assert came.source == address
    prefetch = worklist.prefetches.of_film(film)
    assert prefetch is not None
    assert lookup_text.prefetched(prefetch) == "Fetched ahead: 1 earlier film."
    (event,) = events(settings.audit_folder, AuditKind.FETCHED)
    assert (event.film, event.detail) == (film, "1 of 1 earlier films: done")
    audit.close()


def test_only_unread_flagged_films_of_a_known_patient_are_asked_for(
    away: Settings, worklist: Worklist, clock: Clock
) -> None:
    old = score_film(away, worklist, dicom_bytes(radiograph_dataset(PatientID="P-2")))
    clock.now += timedelta(days=2)
    nobodys = score_film(away, worklist, dicom_bytes(radiograph_dataset(PatientID="")))
    superseded = score_film(away, worklist, dicom_bytes(radiograph_dataset(StudyDate="20250101")))
    read = score_film(away, worklist, dicom_bytes())
    worklist.mark_read(read, "Weiss")
    nobody = score_film(away, worklist, dicom_bytes(radiograph_dataset(PatientID="ANONYMOUS")))
    worklist.receive(sha256("other"), "upload", Path("/nowhere"))
    calm = worklist.record(scored("other", 0.1, header=Header(patient_id="P-3")))
    prefetcher = Prefetcher(away, worklist)
    while prefetcher.fetch_once():
        pass
    assert [state(worklist, each) for each in (old, nobodys, read, calm)] == [None] * 4
    for entry_id, reason in ((superseded, SUPERSEDED), (nobody, "Patient ID")):
        prefetch = worklist.prefetches.of_film(entry_id)
        assert prefetch is not None
        assert (prefetch.state, lookup_text.prefetched(prefetch)) == (PrefetchState.SKIPPED, "")
        assert reason in prefetch.problem


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failure_is_a_quiet_line_and_tried_a_few_times_only(
    away: Settings, worklist: Worklist, clock: Clock
) -> None:
    film = score_film(away, worklist, dicom_bytes())
    prefetcher = Prefetcher(away, worklist)
    for number in range(MOST_TRIES):
        assert prefetcher.fetch_once()
        assert not prefetcher.fetch_once()
        prefetch = worklist.prefetches.of_film(film)
        assert prefetch is not None
        assert "cannot be reached" in lookup_text.prefetched(prefetch)
        assert prefetch.tries == number + 1
        clock.now += timedelta(hours=1)
    assert state(worklist, film) is PrefetchState.GIVEN_UP
    assert not prefetcher.fetch_once()


def test_one_server_asks_at_a_time_and_one_that_died_holds_nothing_for_ever(
    away: Settings, worklist: Worklist, clock: Clock
) -> None:
    film = score_film(away, worklist, dicom_bytes())
    queue = worklist.prefetches
    assert (queue.fill(timedelta(days=1)), queue.fill(timedelta(days=1))) == (1, 0)
    died = queue.claim()
    assert died is not None
    assert queue.claim() is None
    clock.now += LEASE + timedelta(seconds=1)
    taken_over = queue.claim()
    assert taken_over is not None
    queue.done(died, 7)  # it lives after all, and its claim has ended
    assert state(worklist, film) is PrefetchState.WAITING
    queue.release(taken_over)
    again = queue.claim()
    assert again is not None
    queue.done(again, 2)
    assert state(worklist, film) is PrefetchState.DONE


def test_a_search_that_found_nothing_says_so() -> None:
    assert "no earlier film" in lookup_text.ended(LookupStatus("done"))
