"""A file that a long measurement writes at its end: whether it can is asked first."""

import os
from pathlib import Path

from cxr_app.errors import SettingsError


def prepare_output(path: Path) -> None:
    """Make the folder of a file, and make sure that the file can be written.

    Raises
    ------
    SettingsError
        If it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path if path.exists() else path.parent
        if path.is_dir() or not os.access(there, os.W_OK):
            raise PermissionError("this user may not write there")
    except OSError as error:
        told = error.strerror or error
        raise SettingsError(f"{path} cannot be written: {told}. Give another path.") from error
