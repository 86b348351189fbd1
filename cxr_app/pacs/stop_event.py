"""When a process beside the server ends: at a signal, or when its server is gone."""

import os
import signal
import sys
import threading
from types import FrameType

UNTIL_INPUT_ENDS = "--until-input-ends"
"""Option of a process that reads the pipe of its server, and ends when the pipe does."""


def stop_event(*, until_input_ends: bool) -> threading.Event:
    """Return an event that is set when this process should end; call it in the main thread.

    Parameters
    ----------
    until_input_ends
        Whether the end of standard input counts, as if its server were gone.
    """
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    if until_input_ends:
        threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
    return stop


def _wait_for_end(stop: threading.Event) -> None:
    """Wait until standard input ends; read without Python's buffer, which exit would wait for."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()
