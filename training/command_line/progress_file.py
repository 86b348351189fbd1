"""Check of the file that a long run writes its progress to, before the run begins."""

from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.progress import Progress


def begin_progress(path: Path | None) -> None:
    """Write the file of `Progress` for the first time; nothing if there is none.

    Later writes may fail: the work of a run counts more than news of it. Whoever follows a file
    that was never written would wait for ever.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    if path is None:
        return
    try:
        Progress().write(path)
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(
            f"{path} cannot be written: {reason}. Use another --progress."
        ) from error
