"""The units of systemd are sound and name what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cxr_app import admin
from cxr_app.settings import PROJECT, Settings

UNITS = sorted((PROJECT / "deploy").glob("*.service")) + sorted(
    (PROJECT / "deploy").glob("*.timer")
)
HOME = "/opt/chest-film-triage"


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for path in UNITS:  # at a place that is there
        text = path.read_text().replace(f"{HOME}/.venv/bin/python", "/usr/bin/env")
        (tmp_path / path.name).write_text(text.replace(HOME, str(PROJECT)))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if "chest-film-triage" in line]
    assert not ours


def test_the_units_set_what_the_program_reads_and_start_what_is_there() -> None:
    text = "".join(unit.read_text() for unit in UNITS)
    named = {name.lower() for name in re.findall(r"Environment=CXR_(\w+)=", text)}
    assert named <= set(Settings.model_fields)
    assert (PROJECT / "app.py").is_file()
    for command in re.findall(r"-m cxr_app.admin (\w+)", text):
        options = admin._parser().parse_args([command, "folder"])
        assert options.command == command
