"""When a process beside the server ends: at a signal, or when its server is gone."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

UNTIL_INPUT_ENDS = "--until-input-ends"
"""Option of a process that reads the pipe of its server, and ends when the pipe does."""


def stop_event(
    *, until_input_ends: bool, on_input: Callable[[], None] | None = None
) -> threading.Event:
    """Return an event that is set when this process should end; call it in the main thread.

    Python runs the handler of a signal in the main thread, between two steps of it. One that set
    the event could find its lock taken by the step before; and a signal that came just before the
    main thread began to wait would be handled only after the wait. So each signal, as it arrives,
    writes to a pipe, and a thread that reads the pipe sets the event.

    Parameters
    ----------
    until_input_ends
        Whether the end of standard input counts, as if its server were gone.
    on_input
        Called when the server writes anything, if its end counts; None if it never does.
    """
    stop = threading.Event()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _go_on)
    threading.Thread(target=_wait_for_signal, args=(told, stop), daemon=True).start()
    if until_input_ends:
        threading.Thread(target=_wait_for_end, args=(stop, on_input), daemon=True).start()
    return stop


def _go_on(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the signal has written to the pipe already."""


def _wait_for_signal(told: int, stop: threading.Event) -> None:
    os.read(told, 1)
    stop.set()


def _wait_for_end(stop: threading.Event, on_input: Callable[[], None] | None) -> None:
    """Wait until standard input ends; read without Python's buffer, which exit would wait for."""
    while os.read(sys.stdin.fileno(), 1024):
        if on_input is not None:
            on_input()
    stop.set()
