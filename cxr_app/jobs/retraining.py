"""The folder of a retraining: its curves while it runs, and the comparison at the end.

`training.retrain` writes them; nothing here trains or scores.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The challenger and the model in use, measured on the same films.

    Parameters
    ----------
    in_use, challenger
        Versions of the models.
    in_use_sha256, challenger_sha256
        Of the checkpoint files.
    n_normal, n_pneumonia, n_patients
        Numbers of films and patients measured on.
    figures, subgroups
        Each with its name, the value of both models, the difference and its interval.
    checks
        The rule for not being worse: what is checked, what is allowed, whether it is passed.
    not_worse
        Whether all checks are passed.
    counts
        Number of films by use.
    unknown
        Number of films that the model in use may have been trained on.
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
        """Read the file; None if it does not exist or has a wrong value, which is logged."""
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except OSError:
            return None
        except ValidationError as error:
            wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
            logger.warning("%s cannot be used; wrong or missing: %s", path, wrong or "not JSON")
            return None


@dataclass(frozen=True, slots=True)
class Challenger:
    """The folder of a retraining.

    Parameters
    ----------
    folder
        The command's ``--out``.
    """

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Path of its checkpoint, which need not exist yet."""
        return self.folder / "run" / CHECKPOINT

    @property
    def comparison(self) -> Comparison | None:
        """The comparison with the model in use; None until it is known."""
        return Comparison.read(self.folder / "comparison.json")

    @property
    def is_there(self) -> bool:
        """Whether it was trained and not discarded."""
        return self.checkpoint.exists()

    def epochs(self) -> list[dict[str, Any]]:
        """Return the curves so far, one entry for each epoch; an incomplete line is left out."""
        lines: list[dict[str, Any]] = []
        with suppress(OSError, ValueError):
            text = (self.folder / "run" / "epochs.jsonl").read_text(encoding="utf-8")
            lines.extend(json.loads(line) for line in text.splitlines())
        return lines

    def discard(self) -> None:
        """Delete the weights; the comparison is kept."""
        for pattern in ("*.safetensors", "*.state.pt"):
            for path in (self.folder / "run").glob(pattern):
                path.unlink(missing_ok=True)
