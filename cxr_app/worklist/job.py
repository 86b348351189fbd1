"""A long work that somebody asked for: what it is, where it stands, which process does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from cxr_app.progress import Progress


class JobState(Enum):
    """Where a job stands."""

    SCHEDULED = "SCHEDULED"
    """Asked for; a server takes it up as soon as it has no other."""
    RUNNING = "RUNNING"
    """A process works on it."""
    COMPLETED = "COMPLETED"
    """Done; single pieces of it may have failed."""
    CANCELLED = "CANCELLED"
    """Stopped by a person; it can go on."""
    INTERRUPTED = "INTERRUPTED"
    """Its process ended without a word; it can go on."""
    FAILED = "FAILED"
    """Its process said why it cannot do it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One long work.

    Parameters
    ----------
    id
        Opaque, 32 hexadecimal digits.
    kind
        What is to be done, as `cxr_app.jobs.supervisor` knows it.
    parameters
        What it is to be done with: text, numbers, booleans, by name.
    host, pid, process_started
        The machine and process that does it, and when that process began, in seconds since 1970
        as the machine counts them; None before it has begun.
    heard_at
        When its server last said that it runs.
    cancelling
        Whether somebody wants it stopped.
    message
        Why it is where it stands; empty where there is nothing to explain.
    """

    id: str
    kind: str
    parameters: Mapping[str, Any]
    state: JobState
    requested_at: datetime
    started_at: datetime | None = None
    heard_at: datetime | None = None
    ended_at: datetime | None = None
    host: str = ""
    pid: int | None = None
    process_started: float | None = None
    cancelling: bool = False
    progress: Progress = field(default_factory=Progress)
    message: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it runs or will."""
        return self.state in (JobState.SCHEDULED, JobState.RUNNING)
