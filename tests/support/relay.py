"""A port of this network that leads into another one, where a peer of a test listens alone."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Listens here from the start on; `lead_to` may be called in the network of the peer."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def lead_to(self, port: int) -> Iterator[None]:
        """Pass connections on to a port of the network that the calling thread is in."""
        passing = threading.Thread(target=self._pass_on, args=(port,), daemon=True)
        passing.start()
        try:
            yield
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            passing.join()
            self._listener.close()

    def _pass_on(self, port: int) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_join, args=(near, port), daemon=True).start()


def _join(near: socket.socket, port: int) -> None:
    """Copy both ways until both sides have ended."""
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Copy what arrives until one side ends."""
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
