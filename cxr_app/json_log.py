"""The log as lines of JSON in a file that is rotated, for a site that collects logs."""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_BYTES = 10 * 2**20
FILES_KEPT = 10


class JsonFormatter(logging.Formatter):
    """Writes a record as one line; exceptions are in it as `log_privacy` leaves them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_text or record.exc_info:
            line["exception"] = record.exc_text or logging.Formatter.formatException(
                self, record.exc_info or (None, None, None)
            )
        return json.dumps(line)


def write_json_log(path: Path) -> logging.Handler:
    """Write the log of this process to a private file, too; return its handler.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.touch(mode=0o600)
    handler = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    return handler
