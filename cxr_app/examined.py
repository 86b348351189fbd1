"""A film after everything that needs no network: what is known of it, and whether it was refused.

Importing this file imports no decoder and no library of networks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxr_app import priority
from cxr_app.model import screening
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.pose import Pose
from cxr_app.radiograph import Header

if TYPE_CHECKING:
    from cxr_app.model.preprocessing import NetworkInput


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """Header and format of a film, without its pixels."""

    header: Header | None = None
    file_format: str = ""
    rows: int = 0
    columns: int = 0
    remarks: tuple[str, ...] = ()
    may_be_chest: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A file after everything that needs no network.

    Parameters
    ----------
    sha256
        Of the file.
    facts
        What was read; empty if nothing could be.
    refused
        REJECTED or FAILED with the reason, or None for a film that may be scored.
    network_input
        What the network will see; None exactly when refused.
    pose
        As `Outcome` has it.
    """

    sha256: str
    facts: FilmFacts
    refused: tuple[ScoringState, str] | None
    network_input: "NetworkInput | None"
    pose: Pose | None = None


def unreadable(reason: str, sha256: str = "", pose: Pose | None = None) -> Examined:
    """Return a failed file; without content it has no SHA-256."""
    return Examined(sha256, FilmFacts(), (ScoringState.FAILED, reason), None, pose)


def refusal(film: Examined) -> Outcome:
    """Return the outcome of a file that was refused before the network saw it."""
    if film.refused is None:
        raise ValueError("a film that was not refused has no refusal")
    state, reason = film.refused
    return Outcome(
        sha256=film.sha256,
        state=state,
        priority=priority.assign(None, {}),
        reason=reason,
        may_be_chest=film.facts.may_be_chest and not screening.shows_no_chest(film.facts.header),
        header=film.facts.header,
        file_format=film.facts.file_format,
        rows=film.facts.rows,
        columns=film.facts.columns,
        remarks=film.facts.remarks,
        pose=film.pose,
    )
