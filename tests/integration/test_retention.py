"""Uploaded films are deleted once when the site's retention time has ended, and no others are."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from cxr_app.retention import Retention
from tests.support.site import DAY, DAYS, Site

PROJECT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30

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


def test_a_film_goes_when_its_time_has_ended_and_no_sooner(site: Site) -> None:
    film = site.read_film(b"film")
    assert site.days_pass(DAYS) == 0
    site.clock.now += timedelta(seconds=1)
    assert site.retention.sweep() == 0  # marked
    site.clock.now += DAY - timedelta(seconds=1)
    assert site.retention.sweep() == 0
    assert site.is_kept(film)
    site.clock.now += timedelta(seconds=1)
    assert site.retention.sweep() == 1
    assert not site.is_kept(film)
    assert site.worklist.entry(film).film_deleted_at == site.clock.now
    assert site.retention.sweep() == 0
    assert site.deletions() == 1


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
    assert site.days_pass() == 0
    assert all(map(site.is_kept, (unread, unscored, taken_back, backlog)))


@pytest.mark.parametrize("folder", ["0", "films", "films0", "g"])
def test_folders_that_are_named_alike_are_not_the_film_store(site: Site, folder: str) -> None:
    path = site.settings.data_dir / folder / "ab" / "film"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"film")
    film, _ = site.worklist.receive("c" * 64, "film", path)
    site.worklist.mark_read(site.score(film), "Weiss")
    site.days_pass()
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
    site.days_pass(DAYS + 1)
    site.clock.now += DAY
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
    assert site.days_pass() == 1
    assert not site.is_kept(free)
    assert site.worklist.entry(stuck).film_deleted_at is None
    assert "Check that this user may write there" in caplog.text
    path.rmdir()
    assert site.retention.sweep() == 1
    assert site.deletions() == 2


def test_of_several_servers_one_records_a_deletion(site: Site) -> None:
    for number in range(20):
        site.read_film(b"%d" % number)
    site.days_pass(DAYS + 1)
    site.clock.now += DAY
    keepers = [Retention(site.settings, site.worklist, site.clock) for _ in range(4)]
    threads = [Thread(target=keeper.sweep) for keeper in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.deletions() == 20


def test_the_thread_of_the_server_sweeps_at_once(site: Site) -> None:
    film = site.read_film(b"film")
    site.days_pass(DAYS + 1)
    site.clock.now += DAY
    site.retention.start()
    deadline = monotonic() + WAIT_SECONDS
    while not site.deletions() and monotonic() < deadline:
        sleep(0.02)
    site.retention.stop()
    assert not site.is_kept(film)


def test_a_deleted_film_is_not_used_for_training(site: Site) -> None:
    site.read_film(b"film")
    assert len(list(site.worklist.reviews.reviewed_films())) == 1
    site.days_pass()
    assert list(site.worklist.reviews.reviewed_films()) == []
