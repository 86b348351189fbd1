"""An archive that cannot even be called is told in words, whoever calls it."""

import errno
import gc
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError
from cxr_app.operations.diagnosis import looked_at
from cxr_app.pacs.archive import Archive, echo
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.film_sources import check_film_source
from cxr_app.settings import Settings

NOWHERE = Destination.parse("ARCH@nosuchhost.invalid:104")
LOOK_UPS = {
    "unknown name": (socket.gaierror(socket.EAI_NONAME, "no"), "no address is known for nosuch"),
    "no name server": (socket.gaierror(socket.EAI_AGAIN, "no"), "DNS"),
    "no host name": (UnicodeError("label too long"), "no address is known for nosuchhost.invalid"),
    "no file handles": (OSError(errno.EMFILE, "Too many open files"), "Too many open files."),
    "no words": (OSError(), "OSError. Check"),
}


def open_archive(target: Destination) -> None:
    with Archive(target, "CXR"):
        pass


def open_film_archive(target: Destination) -> None:
    with FilmArchive(target, "CXR"):
        pass


CALLERS: list[Callable[[Destination], object]] = [
    open_archive,
    open_film_archive,
    lambda target: echo(target, "CXR"),
    lambda target: check_film_source(target, Settings()),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", LOOK_UPS)
def test_a_host_that_cannot_be_called_is_told_in_words(
    caller: Callable[[Destination], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, words = LOOK_UPS[name]

    def fail(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ArchiveError, match=r"invalid:104 cannot be called") as told:
        caller(NOWHERE)
    assert words in str(told.value)
    found = looked_at("archive", lambda: str(caller(NOWHERE)))
    assert found.problem == str(told.value), "doctor"


@pytest.mark.parametrize("answer", [b"", bytes([3, 0, 0, 0, 0, 4, 0, 1, 1, 7])], ids=["no", "RJ"])
def test_a_connection_that_the_peer_resets_is_closed(answer: bytes) -> None:
    """A socket that is left open is an error of the tests, once it is collected."""

    def refuse() -> None:
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = threading.Thread(target=refuse)
        peer.start()
        with pytest.raises(ArchiveError):
            open_archive(Destination("ARCH", "127.0.0.1", listener.getsockname()[1]))
        peer.join()
    gc.collect()
