"""When a process beside the server ends: at a signal, or when its server is gone."""

import os
import signal
import sys
import threading
from queue import SimpleQueue
from types import FrameType

UNTIL_INPUT_ENDS = "--until-input-ends"
"""Option of a process that reads the pipe of its server, and ends when the pipe does."""

Reasons = SimpleQueue[None]
"""Each reason to end, as it arrives."""


def stop_event(*, until_input_ends: bool) -> threading.Event:
    """Return an event that is set when this process should end; call it in the main thread.

    Parameters
    ----------
    until_input_ends
        Whether the end of standard input counts, as if its server were gone.
    """
    stop = threading.Event()
    reasons = Reasons()

    def note(_number: int, _frame: FrameType | None) -> None:
        # Not the event: a signal that comes while the main thread begins to wait for it finds its
        # lock taken by the very thread that it interrupts, and both would stand still for ever.
        reasons.put(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    threading.Thread(target=_set_at, args=(reasons, stop), daemon=True).start()
    if until_input_ends:
        threading.Thread(target=_wait_for_end, args=(reasons,), daemon=True).start()
    return stop


def _set_at(reasons: Reasons, stop: threading.Event) -> None:
    """Set the event at the first reason."""
    reasons.get()
    stop.set()


def _wait_for_end(reasons: Reasons) -> None:
    """Wait until standard input ends; read without Python's buffer, which exit would wait for."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    reasons.put(None)
