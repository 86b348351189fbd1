"""An archive that reads nothing more, or answers a byte at a time, holds nobody for ever."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import pytest
from pydicom import dcmread

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import ArchiveError
from cxr_app.pacs import answer_wait, association
from cxr_app.pacs.archive import Archive
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.film_query import FilmQuery
from tests.support.archives import Peer, holding, listening
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.results import result_object

PICTURE = result_object(ResultKind.PICTURE, dicom_bytes())
LARGE = 64 * 2**20
"""More bytes than the buffers of a connection hold."""


class SlowRelay:
    """Between this program and an archive: passes on what it likes.

    Parameters
    ----------
    archive
        Whom it stands before.
    drips_from
        The archive's answer from which on it passes on one byte after the other, for ever.
    reads
        How many pieces of what it is sent it reads.
    pause
        Seconds before each piece of 64 KB that it passes on.
    """

    def __init__(
        self, archive: Destination, *, drips_from: int = 99, reads: int = 99, pause: float = 0.0
    ) -> None:
        self._archive = archive
        self._drips_from, self._reads = drips_from, reads
        self._pause = pause
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))

    @contextmanager
    def called(self) -> Iterator[Destination]:
        """Yield the address to call."""
        with self._listener:
            threading.Thread(target=self._accept, daemon=True).start()
            yield dataclasses.replace(self._archive, port=self._listener.getsockname()[1])
            self._ended.set()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection((self._archive.host, self._archive.port))
        with near, far:
            threading.Thread(target=self._answer, args=(near, far), daemon=True).start()
            with suppress(OSError):
                for _ in range(self._reads):
                    far.sendall(near.recv(4096))
            self._ended.wait()

    def _answer(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(self._drips_from):
                near.sendall(far.recv(65_536))
                time.sleep(self._pause)
            first = far.recv(65_536)[:1]
            while not self._ended.wait(0.2):
                near.sendall(first)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(association, "ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(association, "ABORT_SECONDS", 0.5)


def send(destination: Destination, size: int) -> None:
    with Archive(destination, "CXR") as archive:
        picture = PICTURE.copy()
        picture.PixelData = bytes(size)
        archive.store(picture)


@pytest.mark.parametrize(
    ("habits", "size"),
    [
        ({"drips_from": 0}, 100),
        ({"drips_from": 1}, 100),
        ({"reads": 1}, LARGE),
        ({"reads": 3}, LARGE),
    ],
    ids=["association drips", "answer drips", "reads the association", "reads a little"],
)
def test_sending_ends_in_time(habits: dict[str, int], size: int) -> None:
    with (
        listening(Peer()) as peer,
        SlowRelay(peer.destination(ResultKind.PICTURE), **habits).called() as archive,
    ):
        begun = time.monotonic()
        with pytest.raises(ArchiveError):
            send(archive, size)
        assert time.monotonic() - begun < 15


def test_the_end_of_an_association_that_drips_is_not_waited_for() -> None:
    with listening(Peer()) as peer, SlowRelay(peer.destination(), drips_from=2).called() as archive:
        begun = time.monotonic()
        with Archive(archive, "CXR") as open_archive:
            open_archive.echo()
        assert time.monotonic() - begun < 15


def test_an_echo_that_drips_is_not_waited_for() -> None:
    with listening(Peer()) as peer, SlowRelay(peer.destination(), drips_from=1).called() as archive:
        begun = time.monotonic()
        with FilmArchive(archive, "CXR") as films, pytest.raises(ArchiveError):
            films.check()
        assert time.monotonic() - begun < 15


def fetched(archive: Destination) -> bytes:
    with FilmArchive(archive, "CXR") as films:
        (film,) = films.films(FilmQuery.parse("StudyDate=20260105"))
        return films.fetch(film)


def test_a_film_over_a_slow_line_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than an archive may keep silent, and comes all the same, within limits."""
    film = dcmread(BytesIO(dicom_bytes(radiograph_dataset(film_pixels(1024, 1024)))))
    with (
        holding(film) as archive,
        SlowRelay(archive, pause=0.15).called() as slow,
    ):
        begun = time.monotonic()
        assert len(fetched(slow)) > 2 * 1024 * 1024
        assert time.monotonic() - begun > association.ANSWER_SECONDS
    monkeypatch.setattr(answer_wait, "FETCH_SECONDS", 1.0)
    with (
        holding(film) as archive,
        SlowRelay(archive, pause=0.15).called() as slow,
        pytest.raises(ArchiveError, match="did not answer in time"),
    ):
        fetched(slow)
