"""Connections to the server send at once what they have."""

import socket
from collections.abc import Iterator

import pytest

from cxr_app.ui.server.tcp_nodelay import OPEN_FILES, disable_nagle


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens as Streamlit's does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="open files cannot be listed here")
def test_a_connection_that_comes_later_sends_without_delay(listener: socket.socket) -> None:
    before = open_files()
    assert not accepted_option(listener)
    disable_nagle()
    assert accepted_option(listener)
    assert open_files() == before


def open_files() -> int:
    """Count this process's open files."""
    return len(list(OPEN_FILES.iterdir()))


def accepted_option(listener: socket.socket) -> bool:
    """Connect, and ask the server's end whether it sends without delay."""
    with socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            return bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
