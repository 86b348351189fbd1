"""Which folders of the server a page may name: those that the settings allow, and what is below."""

import os
from collections.abc import Sequence
from pathlib import Path

from cxr_app.errors import FolderNotAllowedError

SHOWN = 200
"""So many folders are offered; whoever looks for another types its name."""


def allowed_folder(text: str, roots: Sequence[Path]) -> Path:
    """Find the folder that a reader means, with every link followed.

    Parameters
    ----------
    text
        What was typed: a whole path, below one of the roots.
    roots
        What the settings allow.

    Raises
    ------
    FolderNotAllowedError
        If it is no folder, or lies elsewhere, whatever way it is written.
    """
    if not roots:
        raise FolderNotAllowedError(
            "No folder may be scored from this page yet. Set CXR_BACKLOG_FOLDERS on the server."
        )
    folder = _folder(text.strip())
    if folder is None or not any(folder.is_relative_to(root.resolve()) for root in roots):
        raise FolderNotAllowedError(
            f"This is not a folder below {' or '.join(map(str, roots))}. "
            "Give the whole path of a folder there, as the server sees it."
        )
    return folder


def _folder(text: str) -> Path | None:
    """Follow a path to its folder; None where it is none, or nothing to us."""
    try:
        folder = Path(text).resolve(strict=True)
        return folder if Path(text).is_absolute() and folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # gone, closed to us, a loop of links, NUL
        return None


def offered_folders(roots: Sequence[Path]) -> list[Path]:
    """List the roots that are there, and the folders right below them."""
    offered: list[Path] = []
    for root in roots:
        try:
            with os.scandir(root) as entries:
                below = [Path(each.path) for each in entries if each.is_dir(follow_symlinks=False)]
        except OSError:  # not mounted, perhaps: the others can still be offered
            continue
        offered += [root, *sorted(below)]
    return offered[:SHOWN]
