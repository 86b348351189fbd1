"""Waits of associations: until something arrives or is to be sent, not a millisecond at a time.

In pynetdicom 3.0 both threads of an association look for work a thousand times a second. That takes
a sixth of the CPU time for a large film, whose answer one of them waits for, and a hundred
associations that wait take a whole core. This leans on names of pynetdicom that are not public; its
version is pinned, and tests look for their effect.
"""

import queue
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from pynetdicom import evt

LONGEST_SECONDS = 0.1
"""After this much silence a thread looks at its timers, and whether it is to end."""
CLOSING = "Sta13"
"""State of a connection that is to be closed (PS3.8 9.2.1)."""


def on_connected(event: evt.Event) -> None:
    """Let an association wait so; bind it to ``evt.EVT_CONN_OPEN``."""
    association: Any = event.assoc
    provider = association.dul
    bell, arrived = _Bell(), threading.Event()
    association.bind(evt.EVT_CONN_CLOSE, lambda _event: bell.close())
    provider._is_transport_event = partial(_look, provider, bell, provider._is_transport_event)
    provider.kill_dul = partial(_after, provider.kill_dul, bell.ring)
    _tell(provider.to_provider_queue, bell.ring)
    for each in (provider.to_user_queue, association.dimse.msg_queue):
        _tell(each, arrived.set)
    association._reactor_checkpoint = _Checkpoint(association, arrived)


class _Bell:
    """Rouses a thread that waits for a connection. Safe for many threads."""

    def __init__(self) -> None:
        self._heard, self._pulled = socket.socketpair()
        for end in (self._heard, self._pulled):
            end.setblocking(False)

    def ring(self) -> None:
        """End the wait that is under way, or else the next one; do nothing once it is closed."""
        with suppress(OSError):  # also if it has been rung many times and nobody has waited
            self._pulled.send(b"!")

    def wait(self, connection: socket.socket) -> None:
        """Wait until a connection can be read or the bell rings, but not for long."""
        with suppress(OSError, ValueError):  # the connection has been closed
            ready, _, _ = select.select([connection, self._heard], [], [], LONGEST_SECONDS)
            if self._heard in ready:
                self._heard.recv(4096)

    def close(self) -> None:
        """Release it; nobody waits for the connection any more."""
        for end in (self._heard, self._pulled):
            end.close()


class _Checkpoint(threading.Event):
    """What the thread of an association passes each time before it looks for work."""

    def __init__(self, association: Any, arrived: threading.Event) -> None:
        super().__init__()
        self._queues = association.dimse.msg_queue, association.dul.to_user_queue
        self._arrived = arrived
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until something has arrived, but not for long, and then as usual."""
        if all(each.empty() for each in self._queues):
            self._arrived.wait(LONGEST_SECONDS)
        self._arrived.clear()
        return super().wait(timeout)


def _look(provider: Any, bell: _Bell, look: Callable[[], bool]) -> bool:
    """Look whether the connection has something to read; wait for it if there is nothing to do."""
    connection = provider.socket
    source = None if connection is None else connection.socket
    is_over = provider._kill_thread or provider.state_machine.current_state == CLOSING
    if source is None or is_over or connection.ready or not provider.event_queue.empty():
        return look()
    bell.wait(source)
    return False if provider._process_recv_primitive() else look()


def _tell(line: "queue.Queue[Any]", call: Callable[[], None]) -> None:
    """Have a queue call this after each item that is put into it."""
    line._put = partial(_after, line._put, call)  # type: ignore[method-assign]


def _after(act: Callable[..., Any], call: Callable[[], None], *arguments: Any) -> Any:
    """Act as before, and call this afterwards."""
    found = act(*arguments)
    call()
    return found
