"""Programs that judge DICOM objects: dciodvfy of dicom3tools, and dsrdump of DCMTK."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pydicom import Dataset


def iod_errors(result: Dataset, folder: Path) -> list[str]:
    """Return what dciodvfy calls an error in an object."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dicom3tools is not installed: apt-get install dicom3tools")
    judged = subprocess.run([program, str(saved(result, folder))], capture_output=True, check=False)
    lines = (judged.stdout + judged.stderr).decode(errors="replace").splitlines()
    return [line for line in lines if line.startswith("Error")]


def report_text(result: Dataset, folder: Path) -> str:
    """Return a structured report as dsrdump prints it, codes included."""
    program = shutil.which("dsrdump")
    if program is None:
        pytest.skip("DCMTK is not installed: apt-get install dcmtk")
    shown = subprocess.run(
        [program, "+Pc", str(saved(result, folder))], capture_output=True, check=False
    )
    complaints = shown.stderr.decode(errors="replace")
    assert not re.search("error|warning", complaints, re.IGNORECASE), complaints
    assert shown.returncode == 0
    return shown.stdout.decode(errors="replace")


def saved(result: Dataset, folder: Path) -> Path:
    """Write an object into a folder."""
    path = folder / "result.dcm"
    result.save_as(path, enforce_file_format=True)
    return path
