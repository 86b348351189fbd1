"""Whatever happens to the receiver, an acknowledged film is in the worklist, and once."""

import gc
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import sleep

import pytest
from pydicom import dcmread

from cxr_app.errors import WorklistError
from cxr_app.film_store import FilmStore
from cxr_app.pacs.store_server import StoreServer
from cxr_app.settings import Settings
from cxr_app.worklist import Entry, Query, Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.peers import ReceiverUnderTest, free_port, is_open, receiving, store_over

FILMS = 24
KILLS = 4

# pynetdicom, as a sender, leaves the socket of a refused connection open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def sockets_collected() -> Iterator[None]:
    """Let the warning come within the test that ignores it."""
    yield
    gc.collect()


def films(count: int) -> dict[str, bytes]:
    """Return small films by their SOP Instance UID."""
    datasets = [radiograph_dataset(film_pixels(64, 64, seed=seed)) for seed in range(count)]
    return {str(ds.SOPInstanceUID): dicom_bytes(ds) for ds in datasets}


def entries(data_dir: Path) -> list[Entry]:
    worklist = Worklist.open(f"sqlite:///{data_dir / 'worklist.sqlite'}")
    try:
        return worklist.page(Query(state="all"), limit=10_000)
    finally:
        worklist.close()


def test_no_acknowledged_film_is_lost_or_doubled_when_it_is_killed(tmp_path: Path) -> None:
    """Senders repeat what was not acknowledged, as archives do."""
    waiting = films(FILMS)
    sent = dict(waiting)
    acknowledged: set[str] = set()
    receiver = ReceiverUnderTest(tmp_path / "data")

    def send_all() -> None:
        while waiting:
            for uid in random.sample(sorted(waiting), len(waiting)):
                if is_open(receiver.port) and store_over(receiver.port, waiting[uid]) == 0x0000:
                    acknowledged.add(uid)
                    del waiting[uid]
            sleep(0.05)

    sender = Thread(target=send_all, daemon=True)  # it has no end if the receiver stays away
    sender.start()
    for _ in range(KILLS):
        sleep(random.uniform(0.1, 1.5))  # noqa: S311
        receiver.kill()
        found = {sent_uid(entry) for entry in entries(tmp_path / "data")}
        assert acknowledged <= found
        receiver.restart()
    sender.join()
    receiver.stop()
    everything = entries(tmp_path / "data")
    assert sorted(map(sent_uid, everything)) == sorted(sent)
    for entry in everything:
        assert FilmStore(tmp_path / "data" / "films").read(entry.sha256)


def sent_uid(entry: Entry) -> str:
    return str(dcmread(entry.path, stop_before_pixels=True).SOPInstanceUID)


def test_a_film_in_flight_is_finished_when_it_is_told_to_stop(tmp_path: Path) -> None:
    ds = radiograph_dataset(film_pixels(2000, 2000))
    film = dicom_bytes(ds)
    with receiving(tmp_path / "data") as receiver:
        answers: list[int] = []
        sender = Thread(target=lambda: answers.append(store_over(receiver.port, film, pause=0.005)))
        sender.start()
        sleep(0.3)
        receiver.stop()
        sender.join()
    assert answers == [0x0000]
    assert [sent_uid(entry) for entry in entries(tmp_path / "data")] == [str(ds.SOPInstanceUID)]


def test_a_locked_database_is_answered_before_the_sender_gives_up(tmp_path: Path) -> None:
    film = dicom_bytes()
    with receiving(tmp_path / "data") as receiver:
        holder = sqlite3.connect(tmp_path / "data" / "worklist.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        status, comment = receiver.store(film)
        holder.execute("ROLLBACK")
        holder.close()
        assert status == 0xA700
        assert "Send it again" in comment
        assert receiver.store(film)[0] == 0x0000


class FullDisk(FilmStore):
    """A film store whose disk is full."""

    def keep(self, data: bytes, sha256: str = "") -> str:
        raise WorklistError("The disk is full. Make room, then try again.")


def test_a_full_disk_is_a_reason_to_send_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", dicom_port=free_port())
    worklist = Worklist.open(settings.worklist_url)
    server = StoreServer(settings, worklist, FullDisk(settings.films_dir))
    server.start()
    assert settings.dicom_port is not None
    assert store_over(settings.dicom_port, dicom_bytes()) == 0xA700
    server.stop()
    assert worklist.count(Query(state="all")) == 0
    (peer,) = worklist.peers.all()
    assert peer.counts.refused == 1
    assert "Send it again" in peer.counts.refusal
    worklist.close()


@pytest.mark.parametrize(
    "allowed", [{"dicom_callers": "CT1, XRAY"}, {"dicom_addresses": "10.0.0.0/8, ::1"}]
)
def test_a_peer_that_is_not_allowed_is_rejected_and_listed(
    tmp_path: Path, allowed: dict[str, str]
) -> None:
    settings = Settings(data_dir=tmp_path / "data", dicom_port=free_port(), **allowed)  # type: ignore[arg-type]
    worklist = Worklist.open(settings.worklist_url)
    server = StoreServer(settings, worklist, FilmStore(settings.films_dir))
    server.start()
    assert settings.dicom_port is not None
    assert store_over(settings.dicom_port, dicom_bytes(), title="OTHER") == -1
    server.stop()
    (peer,) = worklist.peers.all()
    assert (peer.ae_title, peer.address, peer.counts.refused) == ("OTHER", "127.0.0.1", 1)
    assert "is not among CXR_DICOM" in peer.counts.refusal
    worklist.close()


def test_what_peers_have_sent_is_counted(tmp_path: Path) -> None:
    with receiving(tmp_path / "data", dicom_callers="TEST") as receiver:
        film = dicom_bytes()
        for _ in range(3):
            assert receiver.store(film)[0] == 0x0000
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'data' / 'worklist.sqlite'}")
    (peer,) = worklist.peers.all()
    worklist.close()
    assert (peer.counts.films, peer.counts.repeated) == (1, 2)
    assert peer.counts.film_at is not None
