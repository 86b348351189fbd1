"""Entries, queries and counts of the worklist: plain values, no database."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from cxr_app.lung_fields import LungFields
from cxr_app.outcome import Priority, ScoringState
from cxr_app.pose import AS_IT_LIES, Pose
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Header
from cxr_app.worklist.handover import Assignment, Urgency

WAITING_CAP = timedelta(hours=72)
ListState = Literal["unread", "read", "needs_a_person", "all", "second_reading", "disagreement"]
LIST_STATES: tuple[ListState, ...] = get_args(ListState)
"""Which films a list may show."""
OF_TWO_READERS = ("second_reading", "disagreement")
"""Lists of films that two readers read; they are few."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The reader who has a film open.

    Parameters
    ----------
    since, until
        Aware, UTC. It ends by itself unless it is renewed.
    """

    reader: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Attestation:
    """A reader's word that a picture is a frontal chest film, and how it lies.

    Parameters
    ----------
    attested_at
        Aware, UTC.
    """

    reader: str
    attested_at: datetime
    pose: Pose


@dataclass(frozen=True, slots=True)
class Entry:
    """One film in the worklist, with its newest result.

    Parameters
    ----------
    id
        Opaque, 32 hexadecimal digits; its first 8 are its short form.
    received_at, scored_at, read_at
        Aware, UTC. None if it has not happened.
    acquired_at
        When the film was taken, by its header; aware, UTC. None if unknown or not credible.
    film_deleted_at
        When the film's file was deleted; the entry then names no patient. None while it is kept.
    state
        None until the film has been scored.
    reason
        Why it was rejected or failed; empty otherwise.
    activation_map, heat_scale, lungs
        As in `Prediction`; None if there is none, and in lists, which do not load them.
    read_by
        The reader who has read it; empty if unknown.
    claim
        The reader who has it open; loaded in pages of the list and for a single entry.
    rows, columns
        Size of the film in pixels; 0 if it could not be read.
    attestation
        On whose word it is scored; None for a film that the model may judge by itself.
    urgency, assignment
        Who marked it as urgent and why, and who is to read it; None if nobody.
    needs_no_score
        Whether it is a lateral view, which is rejected and adds nothing to its study's priority.
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
    lungs: LungFields | None = field(default=None, compare=False)
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
    acquired_at: datetime | None = None
    attestation: Attestation | None = None
    urgency: Urgency | None = None
    assignment: Assignment | None = None
    needs_no_score: bool = False

    @property
    def waits_since(self) -> datetime:
        """When the film was taken, else when it arrived: its waiting time counts from here."""
        return min(self.acquired_at or self.received_at, self.received_at)

    @property
    def pose(self) -> Pose:
        """How the film lies by a reader's word, else as its file has it."""
        return self.attestation.pose if self.attestation else AS_IT_LIES


@dataclass(frozen=True, slots=True)
class Score:
    """One line of a film's history: a probability, or a refusal with its reason.

    Parameters
    ----------
    model_version
        Empty for a refusal.
    activation_map, heat_scale, lungs
        As in `Prediction`; None for a refusal.
    scored_at
        Aware, UTC: when this result was last given.
    pose
        How the film lay, if it was scored on a reader's word; None otherwise.
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
    lungs: LungFields | None = field(default=None, compare=False)
    pose: Pose | None = None


HEADER_NAMES = tuple(each.name for each in fields(Header))
SORTABLE = frozenset(
    {each.name for each in fields(Entry)}
    - {"activation_map", "heat_scale", "lungs", "claim", "header", "remarks"}
    - {"attestation", "urgency", "assignment"}
) | {"waits_since", *HEADER_NAMES}
"""Allowed values of `Query.sort`: every column of an entry that a list can show."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which films, in which order.

    Parameters
    ----------
    state
        ``needs_a_person``: unread, and rejected or failed. ``unread`` includes these and the films
        not scored yet. ``second_reading``: one reader has judged it, and a second is to.
        ``disagreement``: two readers differ. Both whether marked as read or not.
    flag
        ``not_flagged``: judged by a model and not flagged.
    tier
        Of films that a model judged; None for any.
    text
        Words that must all occur, in any case, in the patient's id or name, the accession number,
        the study description or the source; or the first 8 or more digits of an entry's id.
    sort
        A name in `SORTABLE`; empty for the default order: marked as urgent first; then past the
        waiting cap; then flagged first, HIGH before MEDIUM before LOW; then by the bands of
        `priority`, the likeliest first; then longest waiting; then highest probability; then as
        received. What is no chest film comes after all that wait, and films already read after
        these.
        Films without a value come last in either direction; equal ones are in default order.
        ``priority`` sorts by rank and ``patient_age`` by length of life.
    reader
        In ``second_reading``, leave out the films whose first verdict is this reader's; empty for
        none.
    assigned_to
        Only films assigned to this reader; None for all films.
    by_study
        One film for each study: of those that match, the first in default order. A lateral view
        stands for a study only if no other film of it matches.
    waiting_cap
        Time after which a waiting film rises to the top whatever its probability.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """

    state: ListState = "unread"
    flag: Literal["flagged", "not_flagged", "any"] = "any"
    tier: Priority | None = None
    text: str = ""
    sort: str = ""
    descending: bool = False
    assigned_to: str | None = None
    reader: str = ""
    by_study: bool = False
    waiting_cap: timedelta = WAITING_CAP

    def __post_init__(self) -> None:
        if self.state not in LIST_STATES:
            raise ValueError(f"state must be one of {', '.join(LIST_STATES)}, got {self.state}")
        if self.flag not in ("flagged", "not_flagged", "any"):
            raise ValueError(f"flag must be flagged, not_flagged or any, got {self.flag}")
        if self.sort and self.sort not in SORTABLE:
            raise ValueError(f"sort must be empty or a column of an entry, got {self.sort}")

    @property
    def is_counted(self) -> bool:
        """Whether the films can be counted by their state and tier alone."""
        is_whole = self.assigned_to is None and self.state not in OF_TWO_READERS
        return is_whole and not (self.text or self.by_study)


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of films in each state, in the whole list.

    Parameters
    ----------
    unread
        Not read yet, whether scored or not.
    flagged_unread, needs_a_person
        Parts of `unread`.
    in_progress
        Not scored yet.
    longest_wait
        Longest wait of an unread film, files of another kind left out; None if nothing waits.
    """

    unread: int
    flagged_unread: int
    needs_a_person: int
    in_progress: int
    read: int
    longest_wait: timedelta | None
