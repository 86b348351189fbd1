"""Which folders of the server a page may name: those that the settings allow, and what is below."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cxr_app.errors import FolderNotAllowedError

SHOWN = 200
"""So many folders are offered; whoever looks for another types its name."""


MANIFEST = ".csv"


def allowed_folder(text: str, roots: Sequence[Path], setting: str) -> Path:
    """Find the folder that a reader means, with every link followed.

    Parameters
    ----------
    text
        What was typed: a whole path, below one of the roots.
    roots
        What the settings allow.
    setting
        The variable that allows it.

    Raises
    ------
    FolderNotAllowedError
        If it is no folder, or lies elsewhere, whatever way it is written.
    """
    path = _allowed(text, roots, setting)
    if path is None or not path.is_dir():
        raise FolderNotAllowedError(
            f"This is not a folder below {' or '.join(map(str, roots))}. "
            "Give the whole path of a folder there, as the server sees it."
        )
    return path


def allowed_films(text: str, roots: Sequence[Path], setting: str) -> Path:
    """Find the folder or the manifest of labelled films that a reader means, in the same way.

    Raises
    ------
    FolderNotAllowedError
        If it is neither, or lies elsewhere, whatever way it is written.
    """
    path = _allowed(text, roots, setting)
    if path is None or not (path.is_dir() or path.suffix.lower() == MANIFEST):
        raise FolderNotAllowedError(
            f"This is not a folder or a {MANIFEST} manifest below {' or '.join(map(str, roots))}. "
            "Give the whole path of one there, as the server sees it."
        )
    return path


def _allowed(text: str, roots: Sequence[Path], setting: str) -> Path | None:
    """Follow a path; None where it leads nowhere, or elsewhere."""
    if not roots:
        raise FolderNotAllowedError(
            f"No folder may be used from this page yet. Set {setting} on the server."
        )
    path = _followed(text.strip())
    if path is None or not any(path.is_relative_to(root.resolve()) for root in roots):
        return None
    return path


def _followed(text: str) -> Path | None:
    """Follow a whole path to what is there; None where that is nothing, or nothing to us."""
    try:
        return Path(text).resolve(strict=True) if Path(text).is_absolute() else None
    except (OSError, RuntimeError, ValueError):  # gone, closed to us, a loop of links, NUL
        return None


def offered_folders(roots: Sequence[Path]) -> list[Path]:
    """List the roots that are there, and the folders right below them."""
    return _offered(roots, lambda entry: entry.is_dir(follow_symlinks=False))


def offered_films(roots: Sequence[Path]) -> list[Path]:
    """List the roots that are there, and the folders and manifests right below them."""
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
        except OSError:  # not mounted, perhaps: the others can still be offered
            continue
        offered += [root, *sorted(below)]
    return offered[:SHOWN]
