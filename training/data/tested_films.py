"""Films that were used for testing, identified by content, whatever folder they are in later."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cxr_app.film_store import make_private_folder

FILE = "used_films.txt"

Use = Literal["test", "compared"]
"""``test``: measured as a test partition. ``compared``: a challenger was compared on it."""


class UsedFilms:
    """The list of such films in a data folder; entries are never removed.

    Parameters
    ----------
    data_dir
        As `CXR_DATA_DIR`.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def add(self, use: Use, sha256s: Iterable[str]) -> None:
        """Append the films that are not listed yet."""
        new = sorted(set(sha256s) - self.films(use))
        if not new:
            return
        make_private_folder(self._path.parent)
        with self._path.open("a", encoding="ascii") as file:
            file.writelines(f"{sha256} {use}\n" for sha256 in new)

    def films(self, use: Use) -> set[str]:
        """Return the SHA-256 of all films of a use."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return set()
        return {
            sha256 for sha256, _, found in (line.partition(" ") for line in lines) if found == use
        }
