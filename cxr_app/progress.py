"""How far a long work is: its process writes it into a file, and the page shows it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Progress:
    """One picture of a long work.

    Parameters
    ----------
    done, total
        Pieces of the work, films or epochs; no total as long as they are still being counted.
    counts
        What else the kind of work counts, by name.
    rate
        Pieces a second, lately; 0 where nothing is known.
    exit_status
        Of the command; None until it has ended by itself.
    message
        Why it ended without having done its work; empty otherwise.
    """

    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    exit_status: int | None = None
    message: str = ""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; what it does not know, of another version, is left out.

        Raises
        ------
        TypeError, ValueError
            If the text is something else.
        """
        told: Any = json.loads(text)
        if not isinstance(told, dict):
            raise TypeError(f"a progress is a JSON object, got {type(told).__name__}")
        return cls(**{each.name: told[each.name] for each in fields(cls) if each.name in told})

    def to_json(self) -> str:
        """Write it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the file of a work; None where it has written nothing yet."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, TypeError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file at one stroke: who reads it finds the old picture or the new one."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(self.to_json(), encoding="utf-8")
        beside.replace(path)
