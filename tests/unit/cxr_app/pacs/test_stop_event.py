"""A process is told to end once, and ends, whatever its main thread does at that moment."""

import subprocess
import sys

import pytest

from cxr_app.settings import PROJECT

SECONDS = 30
PROGRAM = """
import signal
import sys
from cxr_app.pacs.stop_event import stop_event

stop = stop_event(until_input_ends=False)
with stop._cond:  # as wait() holds it, for a moment, before it sleeps
    signal.raise_signal(signal.{name})
sys.exit(not stop.wait({seconds}))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_that_comes_as_the_process_begins_to_wait_ends_it(name: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(name=name, seconds=SECONDS)]
    run = subprocess.run(command, cwd=PROJECT, timeout=2 * SECONDS, check=False)
    assert run.returncode == 0


def test_the_end_of_its_input_ends_it() -> None:
    program = "stop_event(until_input_ends=True).wait()"
    command = [
        *(sys.executable, "-c"),
        f"from cxr_app.pacs.stop_event import stop_event; {program}",
    ]
    run = subprocess.run(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
    )
    assert run.returncode == 0
