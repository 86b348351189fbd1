"""The program that scores received films until its server ends.

It says on its standard output, a line of JSON each, what the server shows and counts.
"""

import logging
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO

from pydantic import TypeAdapter

from cxr_app.jobs.companion_program import run_until_stopped
from cxr_app.measured import ErrorCounter
from cxr_app.operations.opening import open_worklist
from cxr_app.scoring_engine import Event, ScoringEngine
from cxr_app.settings import Settings

MODULE = "cxr_app.scoring_program"


@dataclass(frozen=True, slots=True)
class LoggedErrors:
    """Errors that the process has logged since it last said so."""

    errors: int


ScoringMessage = Event | LoggedErrors
MESSAGES: TypeAdapter[ScoringMessage] = TypeAdapter(ScoringMessage)
"""Writes and reads a message as a line of JSON."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score received films until told to stop; return 0, 2 for wrong settings, else 1."""
    wake = threading.Event()
    return run_until_stopped(
        partial(_score, wake),
        module=MODULE,
        purpose="Score received films, and say on standard output what a server shows of it.",
        arguments=arguments,
        on_input=wake.set,
    )


def _score(wake: threading.Event, settings: Settings, stop: threading.Event) -> None:
    """Score until `stop` is set."""
    tell = partial(_tell, threading.Lock(), _own_output())
    logging.getLogger().addHandler(ErrorCounter(lambda: tell(LoggedErrors(1))))
    with closing(open_worklist(settings)) as worklist:
        engine = ScoringEngine(settings, worklist, tell, wake)
        engine.start()
        stop.wait()
        engine.stop()


def _own_output() -> IO[bytes]:
    """Return the standard output, which from now on nobody else can write to."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _tell(lock: threading.Lock, output: IO[bytes], message: ScoringMessage) -> None:
    """Write a message; a server that is gone hears nothing, and this process ends soon."""
    with lock, suppress(OSError):
        output.write(MESSAGES.dump_json(message) + b"\n")
        output.flush()


if __name__ == "__main__":
    sys.exit(main())
