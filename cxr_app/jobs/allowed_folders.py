"""Folders of the server that a page may use: those that the settings allow, and all below them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cxr_app.errors import FolderNotAllowedError

SHOWN = 200
"""Most folders offered; the path of another can be typed."""

MANIFEST = ".csv"


def allowed_folder(text: str, roots: Sequence[Path], setting: str) -> Path:
    """Return the folder that a reader typed, with every link resolved.

    Parameters
    ----------
    text
        What was typed: an absolute path, below one of the roots.
    roots
        The folders that the settings allow.
    setting
        The environment variable that allows them.

    Raises
    ------
    FolderNotAllowedError
        If it is not a folder, or not below a root, however it is written.
    """
    path = _allowed(text, roots, setting)
    if path is None or not path.is_dir():
        raise FolderNotAllowedError(
            f"This is not a folder below {' or '.join(map(str, roots))}. "
            "Check that it is there, and type its absolute path as the server sees it."
        )
    return path


def allowed_films(text: str, roots: Sequence[Path], setting: str) -> Path:
    """Return the folder or the manifest of labelled films that a reader typed, in the same way.

    Raises
    ------
    FolderNotAllowedError
        If it is neither, or not below a root, however it is written.
    """
    path = _allowed(text, roots, setting)
    if path is None or not (path.is_dir() or path.suffix.lower() == MANIFEST):
        raise FolderNotAllowedError(
            f"This is not a folder or a {MANIFEST} manifest below {' or '.join(map(str, roots))}. "
            "Check that it is there, and type its absolute path as the server sees it."
        )
    return path


def outermost(paths: Sequence[str]) -> list[str]:
    """Return paths without those inside another one of them; a manifest beside its films stays."""
    folders = [Path(each) for each in paths if not each.lower().endswith(MANIFEST)]
    return [
        each
        for each in dict.fromkeys(paths)
        if each.lower().endswith(MANIFEST)
        or not any(folder in Path(each).parents for folder in folders)
    ]


def _allowed(text: str, roots: Sequence[Path], setting: str) -> Path | None:
    """Return the resolved path; None if it does not exist or is not below a root."""
    if not roots:
        raise FolderNotAllowedError(
            f"No folder may be used from this page yet. Set {setting} on the server."
        )
    path = _resolved(text.strip())
    if path is None or not any(path.is_relative_to(root.resolve()) for root in roots):
        return None
    return path


def _resolved(text: str) -> Path | None:
    """Return an absolute path with links resolved; None if it cannot be."""
    try:
        return Path(text).resolve(strict=True) if Path(text).is_absolute() else None
    except (OSError, RuntimeError, ValueError):  # missing, not permitted, a loop of links, NUL
        return None


def offered_folders(roots: Sequence[Path]) -> list[Path]:
    """Return the roots that exist, and the folders directly below them."""
    return _offered(roots, lambda entry: entry.is_dir(follow_symlinks=False))


def offered_films(roots: Sequence[Path]) -> list[Path]:
    """Return the roots that exist, and the folders and manifests directly below them."""
    return _offered(
        roots,
        lambda entry: entry.is_dir(follow_symlinks=False) or entry.name.lower().endswith(MANIFEST),
    )


def _offered(roots: Sequence[Path], fits: Callable[[os.DirEntry[str]], bool]) -> list[Path]:
    offered: list[Path] = []
    for root in roots:
        try:
            with os.scandir(root) as entries:
                below = [Path(each.path) for each in entries if fits(each)]
        except OSError:  # perhaps not mounted: the others can still be offered
            continue
        offered += [root, *sorted(below)]
    return offered[:SHOWN]
