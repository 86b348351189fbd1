"""Types that every engine takes and returns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cxr_app.model.preprocessing import InputSpec
from cxr_app.outcome import Outcome
from cxr_app.patient_age import OtherAges
from cxr_app.pose import Pose

RETRY = "Make it readable, then run the same command again."


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder.

    Parameters
    ----------
    path
        Where it is.
    source
        Its path relative to the folder, as the results name it.
    problem
        Why it cannot be opened, in one sentence; empty for a file that seems to be in order.
    changed_at
        When it was last changed, in seconds since 1970 by the clock of the file system.
    is_archive
        Whether it begins like a zip archive.
    member
        Name of the film within the zip archive at `path`; empty for a file of its own.
    may_grow
        Whether it may still be incomplete, so that it counts only if it is SCORED.
    """

    path: Path
    source: str
    problem: str = ""
    changed_at: float = 0.0
    is_archive: bool = False
    member: str = ""
    may_grow: bool = False


Batch = Sequence[FoundFile]
"""Files that are scored together."""


@dataclass(frozen=True, slots=True)
class ScoredFile:
    """A file of the folder and its outcome."""

    found: FoundFile
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AlreadyScored:
    """A file of the folder whose content this model has scored before."""

    found: FoundFile
    sha256: str


Result = ScoredFile | AlreadyScored


@dataclass(frozen=True, slots=True)
class BacklogPlan:
    """What every worker of an engine needs to know.

    Parameters
    ----------
    checkpoint
        The weights; a node of a cluster finds them under the same path.
    model_version
        Version of the weights when the run began; a worker that finds another version stops.
    input_spec
        How a film becomes the network's input.
    device
        As `device.choose_device` takes it.
    runtime
        As `classifier.Classifier` takes it.
    workers
        Number of processes that read and score; 0 for this process alone, None for one a core.
    batch_size
        Films in one forward pass; None for what suits the device.
    known
        SHA-256 of the films that this model has already scored.
    attested
        How films lie that are scored on a reader's word, by SHA-256.
    other_ages
        As `Scorer` takes it.
    prevalence
        As `site_prevalence.at_prevalence` takes it.
    """

    checkpoint: Path
    model_version: str
    input_spec: InputSpec
    device: str = "auto"
    runtime: str = "torch"
    workers: int | None = None
    batch_size: int | None = None
    known: frozenset[str] = frozenset()
    attested: Mapping[str, Pose] = field(default_factory=dict)
    other_ages: OtherAges = "remark"
    prevalence: float | None = None


class BacklogEngine(Protocol):
    """Scores films. A run starts one engine and keeps it to the end."""

    def score(self, found: Iterable[FoundFile]) -> Iterator[Sequence[Result]]:
        """Score films, each exactly once and in any order; yield results as they are ready."""
        ...

    def close(self) -> None:
        """Release workers and memory."""
        ...
