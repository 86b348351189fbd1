"""Pauses of associations that wait: longer, the more associations are open.

In pynetdicom 3.0 both threads of an association look for work a thousand times a second. A hundred
associations that wait take a whole core so, and those that send get little of it. Here all of them
together look as often as one did. This leans on names of pynetdicom that are not public; its
version is pinned, and a test looks for their effect.
"""

import threading
import time
from typing import Any
from weakref import WeakSet

from pynetdicom import evt

SHORTEST_SECONDS = 0.001
"""Pause of pynetdicom's own."""
LONGEST_SECONDS = 0.05


class IdlePace:
    """Sets the pauses of the associations of one server. Safe for many threads."""

    def __init__(self) -> None:
        self.seconds = SHORTEST_SECONDS
        self._open: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()

    def on_connected(self, event: evt.Event) -> None:
        """Count an association in; bind it to ``evt.EVT_CONN_OPEN``."""
        association: Any = event.assoc
        association._reactor_checkpoint = _SlowCheckpoint(self)
        with self._lock:
            self._open.add(association.dul)
            self._set_pauses()

    def on_closed(self, event: evt.Event) -> None:
        """Count an association out; bind it to ``evt.EVT_CONN_CLOSE``."""
        with self._lock:
            self._open.discard(event.assoc.dul)
            self._set_pauses()

    def _set_pauses(self) -> None:
        count = len(self._open)
        self.seconds = min(max(SHORTEST_SECONDS, SHORTEST_SECONDS * count), LONGEST_SECONDS)
        for provider in self._open:
            provider._run_loop_delay = self.seconds


class _SlowCheckpoint(threading.Event):
    """What the thread of an association passes each time before it looks for work."""

    def __init__(self, pace: IdlePace) -> None:
        super().__init__()
        self._pace = pace
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Pause for what is missing to the pace, then wait as usual."""
        time.sleep(self._pace.seconds - SHORTEST_SECONDS)
        return super().wait(timeout)
