"""A command shows its whole error at a terminal and in debug mode."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_nothing_leaks import FAULT, PROJECT
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes

MESSAGE = "no value in the table for Quuxlove^Zebedea"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings with a tiny model, and an error on every film whose message quotes a name."""
    (tmp_path / "fault").mkdir()
    (tmp_path / "fault" / "sitecustomize.py").write_text(FAULT)
    return {
        **os.environ,
        "CXR_DATA_DIR": str(tmp_path / "data"),
        "CXR_CHECKPOINT": str(write_tiny(tmp_path / "tiny.safetensors")),
        "CXR_DEVICE": "cpu",
        "PYTHONPATH": str(tmp_path / "fault"),
    }


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Score a folder of one film in the process of the command itself."""
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "film.dcm").write_bytes(dicom_bytes())
    out = str(tmp_path / "results.csv")
    command = [sys.executable, "-m", "training.batch", str(archive), "--out", out]
    return [*command, "--workers", "0"]


def test_a_command_shows_its_whole_error_at_a_terminal(
    command: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    reading, writing = pty.openpty()
    with (tmp_path / "output").open("wb") as output:
        running = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=writing
        )
    os.close(writing)
    printed = b""
    try:
        while part := os.read(reading, 1 << 16):
            printed += part
    except OSError:  # how Linux reports that the last process has closed the terminal
        pass
    os.close(reading)
    assert running.wait() == 1
    assert MESSAGE in printed.decode()


def test_debug_mode_shows_the_whole_error_in_a_log(
    command: list[str], environment: dict[str, str]
) -> None:
    ended = subprocess.run(
        command,
        cwd=PROJECT,
        env={**environment, "CXR_DEBUG": "1"},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert MESSAGE in ended.stderr.decode()
