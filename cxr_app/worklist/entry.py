"""What the worklist hands out and what it is asked for: plain values, no database."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cxr_app.outcome import Priority, ScoringState
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Header
from cxr_app.worklist.review import Claim

WAITING_CAP = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Entry:
    """One film in the worklist, and the newest that scoring said of it.

    Parameters
    ----------
    id
        Opaque, 32 hexadecimal digits; its first 8 are its short form.
    received_at, scored_at, read_at
        Aware, UTC. None where it has not happened.
    film_deleted_at
        When the film's file was deleted; the entry then names no patient. None while it is kept.
    state
        None as long as the film has not been scored.
    reason
        Why it was rejected or failed; empty otherwise.
    activation_map, heat_scale
        As in `Prediction`; None where there is none, and in lists, which do not load them.
    read_by
        Who has read it; empty where that is not known.
    claim
        Who has it open; known in pages of the list and where one entry is asked for.
    rows, columns
        Size of the film in pixels; 0 where it could not be read.
    """

    id: str
    sha256: str
    source: str
    path: Path
    received_at: datetime
    state: ScoringState | None = None
    reason: str = ""
    pneumonia_probability: float | None = None
    bacterial_probability: float | None = None
    viral_probability: float | None = None
    flagged: bool | None = None
    priority: Priority | None = None
    model_version: str = ""
    operating_point_name: str = ""
    threshold: float | None = None
    activation_map: ActivationMap | None = field(default=None, compare=False)
    heat_scale: HeatScale | None = field(default=None, compare=False)
    scored_at: datetime | None = None
    read_at: datetime | None = None
    read_by: str = ""
    claim: Claim | None = None
    header: Header | None = None
    file_format: str = ""
    rows: int = 0
    columns: int = 0
    remarks: tuple[str, ...] = ()
    film_deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One line of a film's history: a probability, or a refusal with its reason.

    Parameters
    ----------
    model_version
        Empty for a refusal.
    activation_map, heat_scale
        As in `Prediction`; None for a refusal.
    scored_at
        Aware, UTC: when this was said last.
    """

    state: ScoringState
    priority: Priority
    scored_at: datetime
    reason: str = ""
    model_version: str = ""
    pneumonia_probability: float | None = None
    bacterial_probability: float | None = None
    viral_probability: float | None = None
    flagged: bool | None = None
    operating_point_name: str = ""
    threshold: float | None = None
    activation_map: ActivationMap | None = field(default=None, compare=False)
    heat_scale: HeatScale | None = field(default=None, compare=False)


HEADER_NAMES = tuple(each.name for each in fields(Header))
SORTABLE = frozenset(
    {each.name for each in fields(Entry)}
    - {"activation_map", "heat_scale", "claim", "header", "remarks"}
) | frozenset(HEADER_NAMES)
"""What `Query.sort` may name: every column of an entry that a list can show."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which films, in which order.

    Parameters
    ----------
    state
        ``needs_a_person`` is what is unread and was rejected or failed; ``unread`` includes it,
        and what has not been scored yet.
    flag
        ``not_flagged`` is what a model judged and did not flag.
    tier
        Of what a model judged; None for any.
    text
        Words that must all occur, in any case, in the patient's id or name, the accession number,
        the study description or the source; or the first 8 or more digits of an entry's id.
    sort
        A name in `SORTABLE`; empty for the default order: past the waiting cap first; then flagged
        first, HIGH before MEDIUM before LOW; then longest waiting; then highest probability; then
        as received. Films already read wait no longer: they come after those that do.
        What has no value comes last, whichever way it is sorted; equals stand in default order.
        ``priority`` sorts by rank and ``patient_age`` by length of life.
    waiting_cap
        A film that has waited this long rises to the top whatever its probability.

    Raises
    ------
    ValueError
        If a choice is not among these.
    """

    state: Literal["unread", "read", "needs_a_person", "all"] = "unread"
    flag: Literal["flagged", "not_flagged", "any"] = "any"
    tier: Priority | None = None
    text: str = ""
    sort: str = ""
    descending: bool = False
    waiting_cap: timedelta = WAITING_CAP

    def __post_init__(self) -> None:
        if self.state not in ("unread", "read", "needs_a_person", "all"):
            raise ValueError(f"state must be unread, read, needs_a_person or all, got {self.state}")
        if self.flag not in ("flagged", "not_flagged", "any"):
            raise ValueError(f"flag must be flagged, not_flagged or any, got {self.flag}")
        if self.sort and self.sort not in SORTABLE:
            raise ValueError(f"sort must be empty or a column of an entry, got {self.sort}")


@dataclass(frozen=True, slots=True)
class Counts:
    """How the list stands.

    Parameters
    ----------
    unread
        Not read yet, scored or not.
    flagged_unread, needs_a_person
        Parts of `unread`.
    in_progress
        Not scored yet.
    longest_wait
        Of the unread; None where nothing waits.
    """

    unread: int
    flagged_unread: int
    needs_a_person: int
    in_progress: int
    read: int
    longest_wait: timedelta | None
