"""Results on their way to archives: plain values, no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cxr_app.destination import ResultKind

REMOVED = "The archive was removed before it was sent."
NOT_AGAIN = "Not sent after the worklist was restored from a backup."
WITHDRAWN = (REMOVED, NOT_AGAIN)
"""Problems of objects that were given up because a person did not want them sent."""


class OutgoingState(Enum):
    """Where an object of a result is."""

    WAITING = "WAITING"
    """Not sent yet, or to be sent again after a failure."""
    SENT = "SENT"
    """The archive has acknowledged it."""
    SKIPPED = "SKIPPED"
    """There is nothing to send, for example no outline of a film without heat."""
    GIVEN_UP = "GIVEN_UP"
    """Refused for too long, or not wanted any more: a person may retry it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One object of a film's result for one archive.

    Parameters
    ----------
    destination
        Name of the archive, as `Destination.name` has it.
    scored_at
        When the result was made that it shows; aware, UTC.
    predecessor_scored_at
        When the result was made whose report the archive has and this one replaces; None if it has
        none. Known from the first claim on.
    tries
        How often it was refused.
    due_at
        Before this it is not tried again.
    problem
        Why the last try failed, or what the archive remarked; empty if nothing.
    claim
        Names who sends it now; empty if nobody does.
    """

    number: int
    entry_id: str
    destination: str
    kind: ResultKind
    state: OutgoingState
    model_version: str
    scored_at: datetime
    predecessor_scored_at: datetime | None
    tries: int
    requested_at: datetime
    due_at: datetime
    sent_at: datetime | None
    problem: str = ""
    claim: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """What is known of an archive that results are sent to.

    Parameters
    ----------
    since
        Results made from then on are sent to it; aware, UTC.
    reached_at
        When it last answered; None if it never has.
    problem
        Why it could not be reached since; empty if it could.
    counts
        The number of objects in each state.
    withdrawn
        How many of those given up a person did not want sent.
    held_at
        When sending was held until a person allows it, because the worklist was restored from a
        backup; None if it is not.
    """

    name: str
    since: datetime
    reached_at: datetime | None
    problem: str
    counts: dict[OutgoingState, int]
    withdrawn: int = 0
    held_at: datetime | None = None
