"""What the server logs is on standard error, whether or not it is written to a file, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_app.settings import PROJECT

PROGRAM = """
import logging, app
from streamlit.logger import get_logger
for name in ("cxr_app.pacs.sender", "app"):
    logging.getLogger(name).warning("a warning of %s", name)
    try:
        raise ValueError("Quuxlove^Zebedea")
    except ValueError:
        logging.getLogger(name).exception("an error of %s", name)
get_logger("streamlit.one").error("streamlit's")
"""


@pytest.mark.parametrize("has_file", [False, True])
def test_warnings_and_errors_are_printed_once(tmp_path: Path, has_file: bool) -> None:
    environment = {**os.environ, "CXR_DATA_DIR": str(tmp_path / "data"), "CXR_SIGNIN": "proxy"}
    if has_file:
        environment["CXR_LOG_FILE"] = str(tmp_path / "log")
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    for words in ("a warning of cxr_app", "an error of cxr_app", "a warning of app", "streamlit's"):
        assert done.stderr.count(words) == 1, done.stderr
    assert "Did you mean CXR_SIGN_IN?" in done.stderr
    assert "ValueError" in done.stderr
    assert "Quuxlove" not in done.stderr
