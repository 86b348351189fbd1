"""What this process counts for monitoring: seconds of scoring, and errors in its log."""

import logging
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
SCORING_SECONDS = Histogram(
    "cxr_scoring_seconds",
    "Seconds from reading a film to its score, in this process.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
ERRORS = Counter("cxr_log_errors", "Errors in the log of this process.", registry=REGISTRY)


class ErrorCounter(logging.Handler):
    """Counts the errors of a log; it never reads their text.

    Parameters
    ----------
    count
        Called for each; by default this process counts them itself.
    """

    def __init__(self, count: Callable[[], None] = ERRORS.inc) -> None:
        super().__init__(logging.ERROR)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self._count()
