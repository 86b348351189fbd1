"""The list of films: received, scored, read. A film that was acknowledged is never lost.

Only this folder imports SQLAlchemy; arguments and results are plain values.
"""

from cxr_app.worklist.annotations import Annotation, AnnotationKind, Measurement
from cxr_app.worklist.claims import ClaimLog
from cxr_app.worklist.dismissals import Dismissal, Dismissals
from cxr_app.worklist.entry import (
    LIST_STATES,
    OF_TWO_READERS,
    SORTABLE,
    WAITING_CAP,
    Attestation,
    Claim,
    Counts,
    Entry,
    Query,
    Score,
)
from cxr_app.worklist.handover import (
    LONGEST_NOTE,
    LONGEST_REASON,
    Assignment,
    Note,
    Urgency,
    UrgentFilms,
)
from cxr_app.worklist.instances import Instance, Instances, NewInstance, Others
from cxr_app.worklist.job import Job, JobState
from cxr_app.worklist.job_queue import JobQueue
from cxr_app.worklist.outbox import Outbox
from cxr_app.worklist.outgoing import ArchiveState, Outgoing, OutgoingState
from cxr_app.worklist.peers import Peer, PeerCounts, PeerLog
from cxr_app.worklist.prefetch import Prefetch, PrefetchState
from cxr_app.worklist.promotions import Promotion, PromotionLog
from cxr_app.worklist.proposals import Proposal, ProposalLog
from cxr_app.worklist.review import (
    Agreement,
    Cause,
    ReadingDay,
    Review,
    ReviewedCounts,
    ReviewedFilm,
    Verdict,
    last_verdict,
)
from cxr_app.worklist.reviews import ReviewLog
from cxr_app.worklist.saved_views import LONGEST_NAME, SavedView
from cxr_app.worklist.second_reading import (
    SecondReading,
    SecondReadingReason,
    SecondReadingState,
)
from cxr_app.worklist.unmasking import UnmaskingLog
from cxr_app.worklist.worklist import Worklist

__all__ = [
    "LIST_STATES",
    "LONGEST_NAME",
    "LONGEST_NOTE",
    "LONGEST_REASON",
    "OF_TWO_READERS",
    "SORTABLE",
    "WAITING_CAP",
    "Agreement",
    "Annotation",
    "AnnotationKind",
    "ArchiveState",
    "Assignment",
    "Attestation",
    "Cause",
    "Claim",
    "ClaimLog",
    "Counts",
    "Dismissal",
    "Dismissals",
    "Entry",
    "Instance",
    "Instances",
    "Job",
    "JobQueue",
    "JobState",
    "Measurement",
    "NewInstance",
    "Note",
    "Others",
    "Outbox",
    "Outgoing",
    "OutgoingState",
    "Peer",
    "PeerCounts",
    "PeerLog",
    "Prefetch",
    "PrefetchState",
    "Promotion",
    "PromotionLog",
    "Proposal",
    "ProposalLog",
    "Query",
    "ReadingDay",
    "Review",
    "ReviewLog",
    "ReviewedCounts",
    "ReviewedFilm",
    "SavedView",
    "Score",
    "SecondReading",
    "SecondReadingReason",
    "SecondReadingState",
    "UnmaskingLog",
    "Urgency",
    "UrgentFilms",
    "Verdict",
    "Worklist",
    "last_verdict",
]
