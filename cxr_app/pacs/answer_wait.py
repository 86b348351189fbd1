"""The wait for an answer: while an archive sends, it has not fallen silent.

pynetdicom 3.0 gives each answer a time from the request on. A film of 10 MB over a slow line takes
longer than an archive may keep silent, and could never be fetched. This leans on names of
pynetdicom that are not public; its version is pinned, and tests look for the effect.
"""

import queue
import time
from contextlib import suppress
from typing import Any

from pynetdicom import evt

FETCH_SECONDS = 300.0
"""Longest time for one answer, however steadily it arrives: a film of 60 MB over a slow line."""


def on_connected(event: evt.Event) -> None:
    """Let an association wait so; bind it to ``evt.EVT_CONN_OPEN``."""
    wait = _AnswerWait(event.assoc.dimse.msg_queue)
    event.assoc.bind(evt.EVT_PDU_RECV, wait.note)
    event.assoc.dimse.msg_queue.get = wait.get  # type: ignore[method-assign]


class _AnswerWait:
    """Takes answers from the queue of an association, in one thread."""

    def __init__(self, answers: "queue.Queue[Any]") -> None:
        self._get = answers.get
        self._heard = time.monotonic()

    def note(self, _: evt.Event) -> None:
        """Note that a part of a message has arrived."""
        self._heard = time.monotonic()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the next item, as `queue.Queue.get`; the timeout is that of silence."""
        if not block or timeout is None:
            return self._get(block, timeout)
        begun = self._heard = time.monotonic()
        while True:
            left = min(self._heard + timeout, begun + FETCH_SECONDS) - time.monotonic()
            if left <= 0:
                return self._get(block=False)
            with suppress(queue.Empty):
                return self._get(timeout=left)
