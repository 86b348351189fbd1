"""The process that scores received films, beside the server that shows them.

In the server's own process scoring took the interpreter from pages: opening a film took a third
longer while films arrived, and a fault in a library's machine code ended the pages too. What runs
there is `scoring_program`.
"""

import logging
import os
import subprocess
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import IO

from cxr_app.errors import CxrError
from cxr_app.examined import refusal, unreadable
from cxr_app.jobs.companion import Companion
from cxr_app.measured import ERRORS, SCORING_SECONDS
from cxr_app.scoring_engine import EngineStatus, FilmInHand
from cxr_app.scoring_program import MESSAGES, MODULE, LoggedErrors, ScoringMessage
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

logger = logging.getLogger(__name__)

MOST_ENDS = 3
"""A film on which the process has ended so often is not tried again: others wait behind it."""
THREADS = "OMP_NUM_THREADS"


class ScoringProcess(Companion):
    """Runs a `ScoringEngine` in a process of its own, started again whenever it ends.

    Parameters
    ----------
    settings
        As the engine's.
    worklist
        Where a film is entered as failed that has ended the process again and again.
    """

    def __init__(self, settings: Settings, worklist: Worklist) -> None:
        super().__init__(MODULE, settings)
        self._worklist = worklist
        self._status = EngineStatus("loading")
        self._in_hand = ""
        self._ends: Counter[str] = Counter()

    def status(self) -> EngineStatus:
        """Return the state of the engine; while another is started, with the facts of the last."""
        return self._status

    def wake(self) -> None:
        """Wake the engine because films were received."""
        child = self._child
        if child is not None and child.stdin is not None:
            with suppress(OSError, ValueError):  # it has just ended, and looks when it begins
                child.stdin.write(b"\n")
                child.stdin.flush()

    def _begin(self, output: int | None = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        return super()._begin(output)

    def _environment(self) -> dict[str, str]:
        """Return the child's environment; it computes with as many threads as the server would."""
        stated = {THREADS: os.environ[THREADS]} if THREADS in os.environ else {}
        inherited = super()._environment()
        inherited.pop(THREADS, None)
        return inherited | stated

    def _watched(self, child: "subprocess.Popen[bytes]") -> int:
        listener = threading.Thread(target=self._listen, args=(child.stdout,), daemon=True)
        listener.start()
        status = super()._watched(child)
        listener.join()
        return status

    def _listen(self, output: IO[bytes]) -> None:
        """Follow what the process says until it ends."""
        for line in output:
            with suppress(ValueError):  # its end may cut the last line
                self._note(MESSAGES.validate_json(line))

    def _note(self, message: ScoringMessage) -> None:
        match message:
            case EngineStatus():
                self._status = message
            case FilmInHand(entry_id, None):
                self._in_hand = entry_id
            case FilmInHand(entry_id, seconds):
                SCORING_SECONDS.observe(seconds or 0.0)
                self._in_hand = ""
                del self._ends[entry_id]
            case LoggedErrors(errors):
                ERRORS.inc(errors)

    def _ended(self) -> None:
        """Say so, and give up a film that ended the process too often."""
        if self._status.state == "ready":
            self._status = replace(self._status, state="loading")
        else:
            self._status = replace(
                self._status,
                state="failed",
                message="The process that scores films ended before the model was loaded, and is "
                "started again by itself. The log of the server says why it ended.",
            )
        entry_id, self._in_hand = self._in_hand, ""
        if entry_id:
            self._ends[entry_id] += 1
            logger.warning("The process that scores films ended while it scored film %s", entry_id)
            if self._ends[entry_id] >= MOST_ENDS:
                self._give_up(entry_id)

    def _give_up(self, entry_id: str) -> None:
        reason = (
            f"The process that scores films ended {MOST_ENDS} times while it scored this film, "
            "which itself may be sound. A person must look at it; please inform whoever runs this "
            "server."
        )
        try:
            entry = self._worklist.entry(entry_id, with_claim=False)
            pose = entry.attestation.pose if entry.attestation else None
            self._worklist.record(refusal(unreadable(reason, entry.sha256, pose)))
        except CxrError as error:
            logger.warning("Film %s could not be entered as failed: %s", entry_id, error)
        else:
            del self._ends[entry_id]
