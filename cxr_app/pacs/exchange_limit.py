"""A limit on the time of a whole exchange by HTTP: httpx bounds each read, not their sum."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from cxr_app.pacs.association import shut_down

_CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


class ExchangeLimit:
    """Ends the connection of a client whose exchange takes too long; for one thread."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._is_over = self._is_ended = False

    def end(self) -> None:
        """End the exchange in hand, from any thread, and each later one."""
        self._is_ended = True
        self._end()

    def follow(self, request: httpx.Request) -> None:
        """Learn of the connection of a request; for the client's event hook `request`."""
        request.extensions["trace"] = self._note

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound everything that happens within.

        Raises
        ------
        TimeoutError
            If it took longer, even if it came to an end: the answer may be cut off. If it was ended
            from outside.
        """
        self._is_over = self._is_ended
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except httpx.HTTPError:
            if not self._is_over:
                raise
        finally:
            timer.cancel()
        if self._is_over:
            raise TimeoutError

    def _note(self, step: str, about: Mapping[str, Any]) -> None:
        if step.endswith(_CONNECTED):
            self._socket = about["return_value"].get_extra_info("socket")
            if self._is_over:
                self._end()

    def _end(self) -> None:
        """Wake the thread that reads from or writes to the connection, which then fails."""
        self._is_over = True
        if self._socket is not None:
            shut_down(self._socket)
