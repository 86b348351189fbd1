"""A flagged film whose patient's earlier films are fetched ahead: plain values, no database."""

from dataclasses import dataclass
from enum import Enum


class PrefetchState(Enum):
    """Where it is."""

    WAITING = "WAITING"
    """Not asked for yet, or to be asked for again after a failure."""
    DONE = "DONE"
    """The archive was searched, and its films have come."""
    SKIPPED = "SKIPPED"
    """There is nothing to ask for, for example because no Patient ID is known."""
    GIVEN_UP = "GIVEN_UP"
    """The archive did not answer in a few tries: a person can look by hand."""


@dataclass(frozen=True, slots=True)
class Prefetch:
    """What was fetched for one film.

    Parameters
    ----------
    tries
        How often the archive was asked without success.
    films
        How many films came.
    problem
        Why the last try failed, or what is missing; empty if nothing.
    claim
        Names who asks now; empty if nobody does.
    """

    entry_id: str
    state: PrefetchState
    tries: int
    films: int
    problem: str = ""
    claim: str = ""
