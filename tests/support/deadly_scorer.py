"""The scoring process, in which single films meet a fault: see `test_scoring_process`."""

import hashlib
import os
import signal
import sys
from typing import Any
from unittest.mock import patch

from cxr_app import scoring_engine, scoring_program
from cxr_app.outcome import Outcome
from cxr_app.scoring import Scorer

DEADLY, FAULTY = "DEADLY_FILM", "FAULTY_FILM"
"""Variables with the SHA-256 of the film that ends the process, and of one that raises."""
IDLE = "IDLE_SECONDS"
"""Variable with how long it waits before it looks by itself for films."""

_score = Scorer.score


def score(scorer: Scorer, data: bytes, *pose: Any) -> Outcome:
    """Score a film, and talk as some libraries do."""
    sys.stdout.write("a library talks on standard output\n")
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == os.environ.get(DEADLY):
        os.kill(os.getpid(), signal.SIGKILL)
    if sha256 == os.environ.get(FAULTY):
        raise ZeroDivisionError
    return _score(scorer, data, *pose)


if __name__ == "__main__":
    scoring_engine.IDLE_SECONDS = float(os.environ.get(IDLE, scoring_engine.IDLE_SECONDS))
    patch.object(Scorer, "score", score).start()
    sys.exit(scoring_program.main())
