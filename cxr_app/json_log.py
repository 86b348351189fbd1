"""The log as lines of JSON in a file that is rotated, for a site that collects logs."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.log_file import LogFile
from cxr_app.log_privacy import fault_report, message_of


class JsonFormatter(logging.Formatter):
    """Writes a record as one line; exceptions are in it as `log_privacy` reports them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": message_of(record),
        }
        # A handler at a terminal may have left its own text, with the message of the exception.
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["exception"] = fault_report(error)
        elif record.exc_text:
            line["exception"] = record.exc_text
        return json.dumps(line)


class JsonLogHandler(logging.Handler):
    """Writes each record to a file that other processes write, too."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file = file
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            self._file.append(self.format(record))
        except Exception:  # noqa: BLE001 - a log that is away stops nothing
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of logging
        """Say in one line on standard error that a line is missing, and not what it said."""
        error = sys.exc_info()[1]
        reason = getattr(error, "strerror", None) or type(error).__name__
        sys.stderr.write(f"A line of the log is not in {self._file.path}: {reason}.\n")


def write_json_log(path: Path | None) -> logging.Handler | None:
    """Write the log of this process to a private file, too; return its handler, None for no file.

    Raises
    ------
    SettingsError
        If the file cannot be written.
    """
    if path is None:
        return None
    try:
        handler = JsonLogHandler(LogFile(path))
    except OSError as error:
        raise SettingsError(f"CXR_LOG_FILE cannot be written: {error.strerror}.") from error
    logging.getLogger().addHandler(handler)
    return handler
