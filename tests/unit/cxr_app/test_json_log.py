"""The log as lines of JSON."""

import json
import logging
from pathlib import Path

from cxr_app.json_log import write_json_log


def test_a_line_is_json_and_private(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    handler = write_json_log(path)
    try:
        logging.getLogger("cxr_app.test").warning("Two\nlines of %s", "text")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    (line,) = path.read_text().splitlines()
    written = json.loads(line)
    assert (written["level"], written["message"]) == ("WARNING", "Two\nlines of text")
    assert path.stat().st_mode & 0o077 == 0
