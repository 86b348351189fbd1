"""A process is told to end once, and ends, whatever its main thread does at that moment."""

import subprocess
import sys

import pytest

from cxr_app.settings import PROJECT

SECONDS = 30
BEGINNING_TO_WAIT = """
with stop._cond:  # as wait() holds it, for a moment, before it sleeps
    signal.raise_signal(signal.{name})
"""
NOT_WOKEN = """
def arrive():
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.{name})

# As if it had come just before the wait: the main thread sleeps, and nothing interrupts it.
threading.Thread(target=arrive).start()
"""
PROGRAM = """
import signal, sys, threading, time
from cxr_app.jobs.stop_event import stop_event

stop = stop_event(until_input_ends=False)
{meanwhile}
sys.exit(not stop.wait({seconds}))
"""


def status(program: str) -> int:
    """Run a program whose standard input has ended; return its exit status."""
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, timeout=2 * SECONDS, check=False
    ).returncode


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(
    "meanwhile", [BEGINNING_TO_WAIT, NOT_WOKEN], ids=["beginning to wait", "not woken"]
)
def test_a_signal_ends_a_process_that_begins_to_wait(meanwhile: str, name: str) -> None:
    meanwhile = meanwhile.format(name=name)
    assert status(PROGRAM.format(meanwhile=meanwhile, seconds=SECONDS)) == 0


def test_the_end_of_its_input_ends_it() -> None:
    program = PROGRAM.replace("until_input_ends=False", "until_input_ends=True")
    assert status(program.format(meanwhile="", seconds=SECONDS)) == 0
