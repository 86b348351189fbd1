"""Progress of a long-running job: its process writes it to a file, and the page shows it."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cxr_app.atomic_file import atomic_write

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a job at one moment.

    Parameters
    ----------
    done, total
        Pieces of work, films or epochs; the total is None while they are being counted.
    counts
        Other counts of this kind of job, by name.
    rate
        Pieces per second, recently; 0 if unknown.
    exit_status
        Of the command; None until it has ended by itself.
    message
        Why the command ended without doing its work; empty otherwise.
    """

    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = Field(default_factory=dict)
    rate: float = 0.0
    exit_status: int | None = None
    message: str = ""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse what `to_json` wrote; unknown keys, of another version, are ignored.

        Raises
        ------
        ValueError
            If the text is not JSON or has a wrong value.
        """
        # Not `validate_json`, which refuses the lone surrogates of odd file names.
        return TypeAdapter(cls).validate_python(json.loads(text))

    def resumed(self) -> Self:
        """Return the progress of a job that is resumed: as before, but not ended."""
        return replace(self, rate=0.0, exit_status=None, message="")

    def after(self, earlier: Self) -> Self:
        """Return the progress of a resumed job: as before until its new process knows the total.

        Parameters
        ----------
        earlier
            What was recorded of the job before.
        """
        if self.total is not None or earlier.total is None:
            return self
        return replace(earlier, exit_status=self.exit_status, message=self.message)

    def to_json(self) -> str:
        """Return the progress as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the file of a job; None if it is missing or has a wrong value, which is logged."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
            logger.warning("%s cannot be used; wrong: %s", path, wrong or "no JSON object")
            return None
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file atomically: a reader finds the old content or the new."""
        atomic_write(path, self.to_json())
