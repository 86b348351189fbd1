"""One file of a backlog, whichever engine scores it: what is asked, the work, what comes back."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cxr_app.errors import CheckpointMismatchError
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import InputSpec
from cxr_app.outcome import Outcome
from cxr_app.scoring import Examined, Scorer, examine, unreadable
from cxr_app.settings import OtherAges

RETRY = "Make it readable, then run the same command again."


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder.

    Parameters
    ----------
    path
        Where it lies.
    source
        Its path below the folder, as it is named in the results.
    problem
        Why it cannot even be opened, in one sentence; empty for a file that seems to be in order.
    changed_at
        When it was last changed, in seconds since 1970 by the clock of the file system.
    """

    path: Path
    source: str
    problem: str = ""
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """A file of the folder and what became of it."""

    found: Found
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AlreadyScored:
    """A file of the folder whose content this model has scored before."""

    found: Found
    sha256: str


Result = ScoredFile | AlreadyScored


@dataclass(frozen=True, slots=True)
class BacklogPlan:
    """What every worker of an engine must know.

    Parameters
    ----------
    checkpoint
        The weights; a node of a cluster finds them under the same path.
    model_version
        What they were when the run began; a worker that finds others there stops.
    input_spec
        How a film becomes the network's input.
    device
        As `classifier.choose_device` takes it.
    runtime
        As `classifier.Classifier` takes it.
    workers
        How many processes read and score; 0 is this process alone, None one for each core.
    batch_size
        Films in one forward pass; None for what suits the device.
    known
        SHA-256 of the films that need no score, for this model has given them one.
    other_ages
        As `Scorer` takes it.
    """

    checkpoint: Path
    model_version: str
    input_spec: InputSpec
    device: str = "auto"
    runtime: str = "torch"
    workers: int | None = None
    batch_size: int | None = None
    known: frozenset[str] = frozenset()
    other_ages: OtherAges = "remark"


class BacklogEngine(Protocol):
    """Scores films. A run starts one and keeps it to its end."""

    def score(self, found: Iterable[Found]) -> Iterator[Sequence[Result]]:
        """Score films, each exactly once and in any order; give results as they are ready."""
        ...

    def close(self) -> None:
        """Let go of workers and memory."""
        ...


def load(plan: BacklogPlan) -> Scorer:
    """Load the network of a plan.

    Raises
    ------
    CheckpointMismatchError
        If the weights were replaced since the run began.
    """
    scorer = Scorer(Classifier.load(plan.checkpoint, plan.device, plan.runtime), plan.other_ages)
    if scorer.classifier.model_version != plan.model_version:
        raise CheckpointMismatchError(
            f"{plan.checkpoint} is {scorer.classifier.model_version} now; the run began with "
            f"{plan.model_version}. Put it back, or begin anew with another --out."
        )
    return scorer


def read(found: Found, plan: BacklogPlan) -> Examined | AlreadyScored:
    """Read and prepare one file; one that has vanished becomes an unreadable one."""
    try:
        data = _content(found.path)
    except OSError as error:
        return unreadable(f"The file cannot be read: {error.strerror}. {RETRY}")
    if isinstance(data, int):
        return unreadable(
            f"The file has {data // 2**20} MB, more than the {MAX_FILE_BYTES // 2**20} MB "
            "allowed: export the single film."
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in plan.known:
        return AlreadyScored(found, sha256)
    return examine(data, plan.input_spec, sha256)


def is_another(found: Found, contents: Set[str]) -> bool:
    """Say whether a file can be read, and its content is none of these (SHA-256)."""
    try:
        data = _content(found.path)
    except OSError:
        return False
    return isinstance(data, bytes) and hashlib.sha256(data).hexdigest() not in contents


def _content(path: Path) -> bytes | int:
    """Read a file; of one beyond the bounds only tell the size, for it may fill the memory."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            return size
        data = file.read(MAX_FILE_BYTES + 1)
    return data if len(data) <= MAX_FILE_BYTES else len(data)


def score_read(
    scorer: Scorer, found: Sequence[Found], films: Sequence[Examined | AlreadyScored]
) -> list[Result]:
    """Score files that were read, in one forward pass."""
    outcomes = iter(scorer.score_all([film for film in films if isinstance(film, Examined)]))
    return [
        film if isinstance(film, AlreadyScored) else ScoredFile(where, next(outcomes))
        for where, film in zip(found, films, strict=True)
    ]


def score_files(scorer: Scorer, plan: BacklogPlan, found: Sequence[Found]) -> list[Result]:
    """Read and score files, one after the other and then in one forward pass."""
    return score_read(scorer, found, [read(each, plan) for each in found])
