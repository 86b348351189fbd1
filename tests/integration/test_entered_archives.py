"""Archives that come and go on the page while results are sent."""

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from cxr_app.destination import Destination
from cxr_app.pacs import sender
from cxr_app.pacs.destinations import destinations_of
from cxr_app.settings import Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.archives import Peer, listening
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.scored_films import score_film


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not condition():
        assert monotonic() < deadline
        sleep(0.05)


def film() -> bytes:
    return dicom_bytes(radiograph_dataset(film_pixels(64, 56)))


def test_an_entered_archive_gets_results_from_then_on_until_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "IDLE_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path / "data")
    worklist = Worklist.open(settings.worklist_url)
    stop = threading.Event()
    sending = threading.Thread(target=sender.send_all, args=(settings, worklist, stop))
    with listening(Peer()) as peer:
        name = peer.destination().name
        sending.start()
        score_film(settings, worklist, film())
        worklist.destinations.add(f"{name}=sr", "Weiss")
        wait_for(lambda: bool(worklist.outbox.archives()))
        first = score_film(settings, worklist, film())
        wait_for(lambda: len(peer.received) == 1)
        wait_for(lambda: worklist.outbox.newest()[0].state is OutgoingState.SENT)
        worklist.destinations.remove(name)
        wait_for(lambda: f"send-{name}" not in {each.name for each in threading.enumerate()})
        between = score_film(settings, worklist, film())
        worklist.destinations.add(f"{name}=sr", "Weiss")
        wait_for(lambda: f"send-{name}" in {each.name for each in threading.enumerate()})
        last = score_film(settings, worklist, film())
        wait_for(lambda: len(peer.received) == 2)
        stop.set()
        sending.join()
    sent = [bool(worklist.outbox.of_film(each)) for each in (first, between, last)]
    assert sent == [True, False, True]
    worklist.close()


def test_what_waits_for_a_removed_archive_is_given_up(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    worklist = Worklist.open(settings.worklist_url)
    destination = worklist.destinations.add("A@127.0.0.1:1=sr", "Weiss")
    since = worklist.outbox.open(destination)
    score_film(settings, worklist, film())
    worklist.outbox.fill(destination, since)
    worklist.destinations.remove(destination.name)
    assert [each.state for each in worklist.outbox.newest()] == [OutgoingState.GIVEN_UP]
    worklist.close()


def test_the_settings_decide_what_their_archives_get(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", results_to="A@one:104=sr")
    worklist = Worklist.open(settings.worklist_url)
    worklist.destinations.add("A@one:104=sc", "Weiss")
    worklist.destinations.add("https://two/dicom-web", "Weiss")
    worklist.destinations.add("https://two/dicom-web=sr", "Weiss")
    assert destinations_of(settings, worklist) == (
        Destination.parse("A@one:104=sr"),
        Destination.parse("https://two/dicom-web=sr"),
    )
    worklist.close()
