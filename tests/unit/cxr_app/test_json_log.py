"""The log as lines of JSON."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cxr_app import log_file
from cxr_app.errors import SettingsError
from cxr_app.json_log import write_json_log

NAME = "Quuxlove^Zebedea"


@contextmanager
def logging_to(path: Path) -> Iterator[logging.Logger]:
    handler = write_json_log(path)
    assert handler is not None
    try:
        yield logging.getLogger("cxr_app.test")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def test_a_line_is_json_and_private(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with logging_to(path) as logger:
        logger.warning("Two\nlines of %s", "text")
    (line,) = path.read_text().splitlines()
    written = json.loads(line)
    assert (written["level"], written["message"]) == ("WARNING", "Two\nlines of text")
    assert path.stat().st_mode & 0o077 == 0


def test_no_file_is_no_fault() -> None:
    assert write_json_log(None) is None


@pytest.mark.parametrize("name", ["", "none/log.jsonl"])
def test_a_file_that_cannot_be_written_is_a_matter_of_settings(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"CXR_LOG_FILE cannot be written: .+\.$"):
        write_json_log(tmp_path / name)


def test_an_exception_is_in_the_file_without_its_message(tmp_path: Path) -> None:
    """Even at a terminal, where a person is shown the message: the file is kept."""
    path = tmp_path / "log.jsonl"
    with logging_to(path) as logger:
        try:
            int(NAME)
        except ValueError as error:
            logger.exception("A fault")
            logger.exception(error)  # noqa: TRY401 - as pynetdicom does
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["message"] == "A fault"
    assert second["message"] == "ValueError"
    assert "test_json_log.py" in first["exception"]
    assert NAME not in path.read_text()


def test_files_of_a_rotation_are_private_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "FILE_BYTES", 1_000)
    monkeypatch.setattr(log_file, "FILES_KEPT", 3)
    path = tmp_path / "log.jsonl"
    with logging_to(path) as logger:
        for number in range(100):
            logger.warning("line %d", number)
    files = [path, *(tmp_path / f"log.jsonl.{number}" for number in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(each.stat().st_size <= 1_000 for each in files)
    assert all(each.stat().st_mode & 0o077 == 0 for each in files)
    found = [json.loads(line) for each in reversed(files) for line in each.read_text().splitlines()]
    last = [int(each["message"].split()[1]) for each in found]
    assert last == list(range(last[0], 100))


def test_a_line_that_cannot_be_written_is_one_line_without_its_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with logging_to(folder / "log.jsonl") as logger:
        (folder / "log.jsonl").unlink()
        folder.rmdir()
        logger.warning("%s", NAME)
    (line,) = capsys.readouterr().err.splitlines()
    assert "log.jsonl: No such file" in line
    assert NAME not in line
