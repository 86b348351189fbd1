"""An earlier commit of this program, in a folder and an environment of its own."""

import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from cxr_app.errors import SettingsError
from cxr_app.settings import PROJECT

_PIN = re.compile(r"([A-Za-z0-9_.-]+)==([^\s;#]+)")


class ProgramCopy(NamedTuple):
    """Where a version of this program lies, and the Python that runs it."""

    folder: Path
    python: str


HERE = ProgramCopy(PROJECT, sys.executable)


def check_out(revision: str, workspace: Path) -> ProgramCopy:
    """Check a commit out into a folder, with what it requires.

    Its environment is made by pip, which takes minutes, unless all that it pins is installed here.

    Parameters
    ----------
    revision
        As git takes it.
    workspace
        An empty folder.

    Raises
    ------
    SettingsError
        If this is no repository with that commit, or pip fails.
    """
    name = subprocess.run(  # noqa: S603 - a revision is no option here
        ["git", "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    if not name:
        raise SettingsError(
            f"--against {revision!r}: this repository has no such commit. Use one that git log "
            "shows, in a clone with its history."
        )
    command = ["git", "archive", "--format=tar", name]
    archive = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)  # noqa: S603
    folder = workspace / "program"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    requirements = folder / "requirements.txt"
    if _is_installed(_PIN.findall(requirements.read_text(encoding="utf-8"))):
        return ProgramCopy(folder, sys.executable)
    return ProgramCopy(folder, _environment(workspace / "environment", requirements))


def _is_installed(pins: Iterable[tuple[str, str]]) -> bool:
    """Check whether packages are installed here in exactly these versions."""
    try:
        return all(version(name).partition("+")[0] == wanted for name, wanted in pins)
    except PackageNotFoundError:
        return False


def _environment(folder: Path, requirements: Path) -> str:
    """Make an environment, and return its Python."""
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)],
    )
    for command in commands:
        if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - our own words
            raise SettingsError(f"What {requirements} asks for could not be installed.")
    return str(python)
