"""The sender with archives that behave badly: each result arrives once, or waits."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import ArchiveError
from cxr_app.imaging.own_results import is_own_result
from cxr_app.pacs.archive import echo
from cxr_app.pacs.sender import Sender
from cxr_app.settings import PROJECT, Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.archives import Peer, listening
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.scored_films import score_film
from tests.support.site import Clock

SOON = 60
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom does not close the socket of a connection that was refused."""
PLANTED = "Quuxlove^Zebedea"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def worklist(settings: Settings, clock: Clock) -> Iterator[Worklist]:
    opened = Worklist.open(settings.worklist_url, clock)
    yield opened
    opened.close()


def score(settings: Settings, worklist: Worklist) -> str:
    """Receive and score a film with heat, of a patient with a planted name."""
    small = radiograph_dataset(film_pixels(64, 56), PatientName=PLANTED)
    return score_film(settings, worklist, dicom_bytes(small))


def states(worklist: Worklist) -> list[OutgoingState]:
    return [each.state for each in worklist.outbox.newest()]


def test_every_object_arrives_once_and_is_known_as_our_own(
    settings: Settings, worklist: Worklist
) -> None:
    with listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination(*ResultKind))
        score(settings, worklist)
        assert sender.send_once()
        assert not sender.send_once()
    assert states(worklist) == [OutgoingState.SENT] * 4
    assert len(set(peer.uids)) == len(peer.uids) == 4
    assert all(is_own_result(dataset) for dataset in peer.received)


def test_a_film_without_heat_has_no_outline_and_that_is_no_failure(
    settings: Settings, worklist: Worklist
) -> None:
    with listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination(ResultKind.OUTLINE))
        score_film(settings, worklist, dicom_bytes(), evidence=-3.0)
        sender.send_once()
    assert states(worklist) == [OutgoingState.SKIPPED]


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC000, 0x0122])
def test_a_refused_object_is_sent_again_after_a_pause(
    status: int, settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    with listening(Peer(status=[status])) as peer:
        sender = Sender(settings, worklist, peer.destination())
        score(settings, worklist)
        sender.send_once()
        (waiting,) = worklist.outbox.newest()
        assert (waiting.state, waiting.tries) == (OutgoingState.WAITING, 1)
        assert f"0x{status:04X}" in waiting.problem
        sender.send_once()
        assert peer.uids == []
        clock.now += timedelta(minutes=1)
        sender.send_once()
    assert len(peer.uids) == 1
    assert states(worklist) == [OutgoingState.SENT]


def test_what_an_archive_refuses_after_the_hours_of_the_settings_is_given_up(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    hasty = settings.model_copy(update={"results_give_up_hours": 1 / 60})
    with listening(Peer(status=[0xA700] * 9)) as peer:
        sender = Sender(hasty, worklist, peer.destination())
        score(settings, worklist)
        seen = []
        for _ in range(3):
            sender.send_once()
            seen += states(worklist)
            clock.now += timedelta(minutes=10)
    assert seen == [OutgoingState.WAITING] * 2 + [OutgoingState.GIVEN_UP]


@UNCLOSED
def test_what_waits_for_an_archive_that_stays_away_is_given_up(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    with listening(Peer()) as peer:
        pass
    hasty = settings.model_copy(update={"results_give_up_hours": 1 / 60})
    sender = Sender(hasty, worklist, peer.destination())
    score(settings, worklist)
    for _ in range(3):  # pauses double from 5 s on, whatever the clock says
        sender.send_once()
        clock.now += timedelta(days=10)
    assert states(worklist) == [OutgoingState.WAITING]
    for _ in range(3):
        sender.send_once()
    assert states(worklist) == [OutgoingState.GIVEN_UP]


def test_a_clock_that_was_ahead_for_a_time_keeps_no_result_back(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    """Neither one of that time, nor one of the time since."""
    with listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination())
        sender.send_once()
        clock.now += timedelta(days=1)
        score(settings, worklist)
        sender._fill()
        clock.now -= timedelta(hours=23)
        score(settings, worklist)
        sender.send_once()
    assert states(worklist) == [OutgoingState.SENT] * 2


@UNCLOSED
def test_a_server_that_was_off_for_days_and_an_archive_that_was_give_nothing_up(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    with listening(Peer()) as peer:
        pass
    score(settings, worklist)
    hasty = settings.model_copy(update={"results_give_up_hours": 1.0})
    for _ in range(5):
        sender = Sender(hasty, worklist, peer.destination())
        score(settings, worklist)
        sender.send_once()
        clock.now += timedelta(days=10)
    with listening(peer):
        Sender(hasty, worklist, peer.destination()).send_once()
    assert set(states(worklist)) == {OutgoingState.SENT}


def wait_for_lock(peer: Peer) -> None:
    """Wait until the peer has done with what it was sent."""
    with peer.lock:
        pass


def test_a_warning_counts_as_stored_and_is_noted(settings: Settings, worklist: Worklist) -> None:
    with listening(Peer(status=[0xB000])) as peer:
        sender = Sender(settings, worklist, peer.destination())
        score(settings, worklist)
        sender.send_once()
    (sent,) = worklist.outbox.newest()
    assert (sent.state, len(peer.uids)) == (OutgoingState.SENT, 1)
    assert "0xB000" in sent.problem


def test_an_aborted_association_loses_nothing(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    with listening(Peer(aborts=2)) as peer:
        sender = Sender(settings, worklist, peer.destination())
        for _ in range(3):
            score(settings, worklist)
        for _ in range(8):
            sender.send_once()
            clock.now += timedelta(minutes=1)
    assert states(worklist) == [OutgoingState.SENT] * 3
    assert len(set(peer.uids)) == len(peer.uids) == 3


def test_an_archive_that_does_not_answer_in_time_gets_the_same_instance_again(
    settings: Settings, worklist: Worklist, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(Peer(sleeps=4)) as peer:
        sender = Sender(settings, worklist, peer.destination())
        score(settings, worklist)
        with monkeypatch.context() as impatient:
            impatient.setattr("cxr_app.pacs.association.ANSWER_SECONDS", 2.0)
            sender.send_once()
        assert states(worklist) == [OutgoingState.WAITING]
        wait_for_lock(peer)
        peer.sleeps = 0.0
        clock.now += timedelta(minutes=1)
        sender.send_once()
    assert states(worklist) == [OutgoingState.SENT]
    assert len(set(peer.uids)) == 1


@UNCLOSED
def test_results_wait_for_an_archive_that_is_not_there_and_go_at_once_when_it_is(
    settings: Settings, worklist: Worklist
) -> None:
    with listening(Peer()) as peer:
        pass
    sender = Sender(settings, worklist, peer.destination())
    score(settings, worklist)
    assert not sender.send_once()
    (archive,) = worklist.outbox.archives()
    assert "cannot be reached" in archive.problem
    with listening(peer):
        assert sender.send_once()
    (archive,) = worklist.outbox.archives()
    assert (archive.problem, len(peer.uids)) == ("", 1)


def test_an_object_that_an_archive_does_not_take_is_named_and_the_others_go(
    settings: Settings, worklist: Worklist
) -> None:
    with listening(Peer(), [SecondaryCaptureImageStorage]) as peer:
        kinds = (ResultKind.REPORT, ResultKind.PICTURE)
        sender = Sender(settings, worklist, peer.destination(*kinds))
        score(settings, worklist)
        sender.send_once()
    assert sorted(state.value for state in states(worklist)) == ["SENT", "WAITING"]
    (refused,) = worklist.outbox.newest(OutgoingState.WAITING)
    assert "Comprehensive 3D SR" in refused.problem


def test_a_damaged_or_lost_film_does_not_hold_up_the_others(
    settings: Settings, worklist: Worklist
) -> None:
    with listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination())
        lost = worklist.entry(score(settings, worklist))
        score(settings, worklist)
        lost.path.unlink()
        sender.send_once()
    assert len(peer.uids) == 1
    (failed,) = worklist.outbox.newest(OutgoingState.WAITING)
    assert failed.entry_id == lost.id


@UNCLOSED
def test_an_echo_says_in_words_what_is_wrong() -> None:
    with listening(Peer()) as peer:
        echo(peer.destination(), "CXR")
    with pytest.raises(ArchiveError, match="cannot be reached"):
        echo(peer.destination(), "CXR")


def test_a_killed_sender_leaves_every_result_in_the_archive_once(
    settings: Settings, worklist: Worklist, tmp_path: Path
) -> None:
    now = Worklist.open(settings.worklist_url)
    log = tmp_path / "log.txt"
    films = 12
    with listening(Peer(sleeps=0.05)) as peer:
        address = peer.destination().name
        now.outbox.open(Destination.parse(f"{address}=sr"))
        for _ in range(films):
            score(settings, now)
        for least in (2, 6, films):
            with log.open("ab") as written:
                child = start(settings, f"{address}=sr", written.fileno())
            deadline = time.monotonic() + SOON
            while len(set(peer.uids)) < least:
                assert child.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.013)
            if least == films:
                wait_until_sent(now, films)
            child.send_signal(signal.SIGKILL)
            child.wait()
            end_claims(settings)
    now.close()
    assert len(set(peer.uids)) == films
    assert len(peer.uids) <= films + 2, "only what was in hand may be sent again"
    assert PLANTED.split("^")[0] not in log.read_text()


@pytest.mark.parametrize(("address", "status"), [("ARCHIVE@127.0.0.1:1", 1), ("no address", 2)])
def test_only_wrong_settings_end_it_for_good(address: str, status: int, tmp_path: Path) -> None:
    """A worklist in trouble may be well again when the process is started the next time."""
    (tmp_path / "worklist.sqlite").write_bytes(b"MZ" * 5000)
    with start(Settings(data_dir=tmp_path), address, subprocess.DEVNULL) as process:
        assert process.wait(60) == status


def wait_until_sent(worklist: Worklist, films: int) -> None:
    deadline = time.monotonic() + SOON
    while len(worklist.outbox.newest(OutgoingState.SENT)) < films:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def start(settings: Settings, address: str, log: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "cxr_app.pacs.sender"],
        cwd=PROJECT,
        env={**os.environ, "CXR_DATA_DIR": str(settings.data_dir), "CXR_RESULTS_TO": address},
        stdout=log,
        stderr=log,
    )


def end_claims(settings: Settings) -> None:
    """Let the lease of a killed sender end, as five minutes would."""
    import sqlite3

    with sqlite3.connect(settings.data_dir / "worklist.sqlite") as database:
        database.execute("UPDATE worklist_outgoing SET claimed_until = 0 WHERE claim IS NOT NULL")
    database.close()


def test_a_host_name_that_is_not_known_keeps_results_waiting(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    sender = Sender(settings, worklist, Destination.parse("ARCH@nosuchhost.invalid:104"))
    score(settings, worklist)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", fail)
        sender.send_once()
    assert set(states(worklist)) == {OutgoingState.WAITING}
    (problem,) = {each.problem for each in worklist.outbox.newest()}
    assert "no address is known for nosuchhost.invalid" in problem
