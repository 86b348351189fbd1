"""The folder of a retraining: its curves while it runs, and the comparison at the end.

`training.retrain` writes them; nothing here trains or scores.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"
PLAN = "plan.json"


class ComparisonResult(Enum):
    """What a comparison shows, by the rule of `training.measure.acceptance`."""

    NOT_WORSE = "NOT_WORSE"
    """Better, or not worse by more than the rule allows."""
    WORSE = "WORSE"
    """A figure is worse, with its whole interval."""
    NOT_SHOWN = "NOT_SHOWN"
    """Neither: with so few films, the intervals are too wide."""


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

    @property
    def result(self) -> ComparisonResult:
        """What the comparison shows."""
        if self.not_worse:
            return ComparisonResult.NOT_WORSE
        lines = {str(line["name"]): line for line in self.figures}
        failed = {str(check["name"]) for check in self.checks if not check["passed"]}
        shown = {name for name in failed if _is_shown(lines.get(name))}
        return ComparisonResult.WORSE if shown else ComparisonResult.NOT_SHOWN

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


def _is_shown(line: Mapping[str, Any] | None) -> bool:
    """Check whether a figure is worse with its whole interval; True for a rule without one."""
    if line is None:
        return True
    intervals = [line[name] for name in ("ci95", "delong_ci95") if line.get(name)]
    limits = [limit for interval in intervals for limit in interval]
    if not limits or None in limits:
        return False
    is_error = "error" in str(line["name"]).lower()  # smaller is better
    return bool(min(limits) > 0 if is_error else max(limits) < 0)


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
    def is_begun(self) -> bool:
        """Whether its films were chosen, so that it resumes with them."""
        return (self.folder / PLAN).exists()

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
