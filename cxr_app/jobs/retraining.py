"""What a retraining leaves in its folder: its curves while it runs, and how it compares at the end.

`training.retrain` writes it; nothing here trains or scores.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger and the model in use, measured on the same films.

    Parameters
    ----------
    in_use, challenger
        Their versions.
    in_use_sha256, challenger_sha256
        Of their files.
    n_normal, n_pneumonia, n_patients
        What they were measured on.
    figures, subgroups
        Each by its name: the figure of the one, of the other, the difference and its interval.
    checks
        The rule: what is asked, what is allowed, whether it is so.
    not_worse
        Whether all of them are.
    counts
        Films by what they were used for.
    unknown
        Films of which nobody knows whether the model in use has learned from them.
    """

    in_use: str
    challenger: str
    in_use_sha256: str
    challenger_sha256: str
    n_normal: int
    n_pneumonia: int
    n_patients: int
    figures: Sequence[Mapping[str, Any]]
    subgroups: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]]
    not_worse: bool
    counts: Mapping[str, int]
    unknown: int

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read what the command wrote; None where it has not, or in another form."""
        try:
            told: Any = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{each.name: told[each.name] for each in fields(cls)})
        except (OSError, KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Challenger:
    """A retraining's folder.

    Parameters
    ----------
    folder
        What the command was given as ``--out``.
    """

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Where its checkpoint is, or will be."""
        return self.folder / "run" / CHECKPOINT

    @property
    def comparison(self) -> Comparison | None:
        """How it compares; None as long as that is not known."""
        return Comparison.read(self.folder / "comparison.json")

    @property
    def is_there(self) -> bool:
        """Whether it has been trained and not been discarded."""
        return self.checkpoint.exists()

    def epochs(self) -> list[dict[str, Any]]:
        """Give the curves so far, one entry an epoch; a line that is half written is none yet."""
        lines: list[dict[str, Any]] = []
        with suppress(OSError, ValueError):
            text = (self.folder / "run" / "epochs.jsonl").read_text(encoding="utf-8")
            lines.extend(json.loads(line) for line in text.splitlines())
        return lines

    def discard(self) -> None:
        """Throw the weights away; how they compared is kept."""
        for path in (self.folder / "run").glob("*.safetensors"):
            path.unlink(missing_ok=True)
