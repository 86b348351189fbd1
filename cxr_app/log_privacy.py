"""Uncaught exceptions are reported without their message, unless a developer asks for it.

The message of a parser, or of a lookup that finds nothing, may quote patient data. Type and
traceback are enough to find most faults.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from cxr_app.errors import SettingsError


def hide_messages(*, at_terminal: bool = False) -> None:
    """Report uncaught exceptions without messages: those of this process, its threads and logs.

    Do nothing in debug mode, nor at a terminal, where the messages are shown to a person and are
    not stored.

    Parameters
    ----------
    at_terminal
        Whether to hide the messages at a terminal, too: what a server prints is its log.
    """
    if debug_mode() or (_is_terminal() and not at_terminal):
        return
    sys.excepthook = lambda _type, error, _trace: _write(error, fault_trace)
    threading.excepthook = lambda fault: _write(fault.exc_value, fault_trace)
    sys.unraisablehook = lambda fault: _write(fault.exc_value, fault_trace)
    logging.setLogRecordFactory(_without_message)


def debug_mode() -> bool:
    """Return the setting `debug`; False if the settings cannot be read."""
    # Imported here: it takes a tenth of a second, and a scoring process reads no settings.
    from cxr_app.current_settings import current_settings

    try:
        return current_settings().debug
    except SettingsError:
        return False


def report_fault(error: BaseException | None) -> None:
    """Report the crash of a command's child process on standard error; Ctrl-C is no crash."""
    _write(error, _with_message if _is_terminal() else fault_report)


def fault_report(error: BaseException) -> str:
    """Return traceback and exception type for a log; in debug mode with the message."""
    return _with_message(error) if debug_mode() else fault_trace(error)


def fault_trace(error: BaseException) -> str:
    """Return traceback and exception type without the message, which may quote patient data."""
    trace = ""
    fault: BaseException | None = error
    while fault is not None:
        trace += "".join(traceback.format_tb(fault.__traceback__)) + type(fault).__name__ + "\n"
        fault = fault.__cause__ or fault.__context__
    return trace


def message_of(record: logging.LogRecord) -> str:
    """Return the message of a record for a log; of an exception that is one, the type alone.

    Libraries log exceptions so, too: ``logger.exception(error)``.
    """
    if isinstance(record.msg, BaseException) and not debug_mode():
        return type(record.msg).__name__
    return record.getMessage()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _write(error: BaseException | None, report: Callable[[BaseException], str]) -> None:
    if isinstance(error, Exception):
        sys.stderr.write(f"Unexpected error:\n{report(error)}")


def _with_message(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _without_message(*arguments: Any, **options: Any) -> logging.LogRecord:
    """Create a log record with the text of its exception, which every formatter then uses."""
    record = logging.LogRecord(*arguments, **options)
    if isinstance(record.msg, BaseException):
        record.msg = message_of(record)
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = fault_trace(record.exc_info[1])
    return record
