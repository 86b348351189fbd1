"""A long-running job: what was requested, its state, and the process that does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from cxr_app.progress import Progress


class JobState(Enum):
    """State of a job."""

    SCHEDULED = "SCHEDULED"
    """Requested; a server starts it as soon as no other of its kind runs."""
    RUNNING = "RUNNING"
    """A process is working on it."""
    COMPLETED = "COMPLETED"
    """Done; some pieces may have failed."""
    CANCELLED = "CANCELLED"
    """Stopped by a person; it can be resumed."""
    INTERRUPTED = "INTERRUPTED"
    """Its process ended unexpectedly; it can be resumed."""
    FAILED = "FAILED"
    """It cannot be done; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Job:
    """One long-running job.

    Parameters
    ----------
    id
        Opaque, 32 hexadecimal digits.
    kind
        A name in `cxr_app.jobs.kinds.KINDS`.
    parameters
        Text, numbers and booleans, by name.
    host, pid, process_started
        The machine and process that does it, and when that process was started, in seconds since
        1970 by the machine's clock; None before that.
    heartbeat_at
        When its server last reported that it runs.
    cancelling
        Whether it is to be stopped.
    message
        Explains the state; empty if there is nothing to explain.
    """

    id: str
    kind: str
    parameters: Mapping[str, Any]
    state: JobState
    requested_at: datetime
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    ended_at: datetime | None = None
    host: str = ""
    pid: int | None = None
    process_started: float | None = None
    cancelling: bool = False
    progress: Progress = field(default_factory=Progress)
    message: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it is running or waiting to run."""
        return self.state in (JobState.SCHEDULED, JobState.RUNNING)
