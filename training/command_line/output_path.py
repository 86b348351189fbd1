"""Check of an output path before a long measurement begins."""

import os
from pathlib import Path

from cxr_app.errors import SettingsError


def prepare_output(path: Path) -> None:
    """Create the folder of a file, and check that the file can be written.

    Raises
    ------
    SettingsError
        If it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path if path.exists() else path.parent
        if path.is_dir() or not os.access(target, os.W_OK):
            raise PermissionError("this user may not write there")
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(f"{path} cannot be written: {reason}. Use another path.") from error
