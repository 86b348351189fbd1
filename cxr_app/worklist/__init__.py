"""The list of films: received, scored, read. Nothing that it acknowledged is lost.

Nothing outside this folder knows SQLAlchemy; what goes in and comes out are plain values.
"""

from cxr_app.worklist.entry import SORTABLE, WAITING_CAP, Counts, Entry, Query, Score
from cxr_app.worklist.job import Job, JobState
from cxr_app.worklist.job_queue import JobQueue
from cxr_app.worklist.promotion import Promotion
from cxr_app.worklist.promotions import PromotionLog
from cxr_app.worklist.readings import Readings
from cxr_app.worklist.review import (
    Agreement,
    Cause,
    Claim,
    ReadingDay,
    Review,
    ReviewedFilm,
    Verdict,
)
from cxr_app.worklist.worklist import Worklist

__all__ = [
    "SORTABLE",
    "WAITING_CAP",
    "Agreement",
    "Cause",
    "Claim",
    "Counts",
    "Entry",
    "Job",
    "JobQueue",
    "JobState",
    "Promotion",
    "PromotionLog",
    "Query",
    "ReadingDay",
    "Readings",
    "Review",
    "ReviewedFilm",
    "Score",
    "Verdict",
    "Worklist",
]
