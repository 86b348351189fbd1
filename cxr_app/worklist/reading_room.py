"""What readers share beside the films: marks, urgency, assignments, notes, saved views."""

from collections.abc import Callable
from datetime import datetime

from cxr_app.worklist.annotations import AnnotationLog
from cxr_app.worklist.assignments import AssignmentLog
from cxr_app.worklist.database import Database
from cxr_app.worklist.notes import NoteLog
from cxr_app.worklist.saved_views import SavedViews
from cxr_app.worklist.second_readings import SecondReadingLog
from cxr_app.worklist.urgency import UrgencyLog


class ReadingRoom:
    """The work of several readers on one list.

    Attributes
    ----------
    annotations
        Marks on films: lengths, angles, ratios, key images.
    assignments
        Which reader is to read which film.
    notes
        Notes to the next reader.
    second_readings
        Films that are read by a second reader.
    urgency
        Films marked as urgent by hand.
    views
        Readers' own views of the list.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.annotations = AnnotationLog(database, clock)
        self.assignments = AssignmentLog(database, clock)
        self.notes = NoteLog(database, clock)
        self.second_readings = SecondReadingLog(database, clock)
        self.urgency = UrgencyLog(database, clock)
        self.views = SavedViews(database, clock)
