"""Faults that nobody caught: where they happened is written down, and not in which words.

The words of a parser, or of a lookup that finds nothing, may repeat what a file says of its
patient.
"""

import logging
import sys
import threading
from typing import Any

from cxr_app.errors import fault_trace


def hide_messages() -> None:
    """Let this process tell of its faults, those of its threads and in its logs, without words."""
    sys.excepthook = lambda _kind, error, _trace: report_fault(error)
    threading.excepthook = lambda fault: report_fault(fault.exc_value)
    sys.unraisablehook = lambda fault: report_fault(fault.exc_value)
    logging.setLogRecordFactory(_without_words)


def report_fault(error: BaseException | None) -> None:
    """Say on standard error where a fault happened, and of what type it is; Ctrl-C is none."""
    if isinstance(error, Exception):
        sys.stderr.write(f"The program met a fault:\n{fault_trace(error)}")


def _without_words(*told: Any, **more: Any) -> logging.LogRecord:
    """Make a log record; every formatter takes the text of an exception that stands there."""
    record = logging.LogRecord(*told, **more)
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = fault_trace(record.exc_info[1])
    return record
