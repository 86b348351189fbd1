"""Patience with a worklist that is away: a restart of its database ends no run."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from cxr_app.errors import WorklistAwayError

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 600.0
"""How long a run waits that has an end of its own; one that watches waits for ever."""
PAUSE_SECONDS = 5.0

Told = TypeVar("Told")


def patiently(ask: Callable[[], Told], longest: float, stop: threading.Event | None = None) -> Told:
    """Return what the worklist answers; ask it again while it is away.

    Parameters
    ----------
    ask
        May be called again after it has failed.
    longest
        Seconds after which its last error is raised.
    stop
        Raises it earlier, once set.
    """
    begun = time.monotonic()
    while True:
        try:
            return ask()
        except WorklistAwayError as error:
            if time.monotonic() - begun > longest or (stop and stop.is_set()):
                raise
            logger.warning("The run waits for the worklist. %s", error)
        time.sleep(PAUSE_SECONDS)
