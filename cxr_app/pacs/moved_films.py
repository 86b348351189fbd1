"""Films that come by C-MOVE because this program asked for them: the patient's own, or refused.

References
----------
DICOM PS3.7 9.1.1 (Move Originator Application Entity Title), PS3.4 C.4.2 (C-MOVE).
"""

from typing import Any

from pynetdicom import evt

from cxr_app.imaging.film_identity import read_header
from cxr_app.pacs import store_answers
from cxr_app.pacs.archive_lookup import is_wanted
from cxr_app.pacs.fast_pdus import received_file
from cxr_app.pacs.storing import Stored, refused
from cxr_app.worklist import Worklist


class MovedFilms:
    """What was asked for, as the receiver sees it.

    Parameters
    ----------
    worklist
        Where requests are recorded.
    ae_title
        By which this program asks.
    """

    def __init__(self, worklist: Worklist, ae_title: str) -> None:
        self._worklist = worklist
        self._title = ae_title.strip()

    def refuse(self, event: evt.Event) -> Stored | None:
        """Return the refusal of a film that is not of the patient it was asked for; else None.

        A film that nobody here asked for is one that was sent.
        """
        request: Any = event.request
        if str(request.MoveOriginatorApplicationEntityTitle or "").strip() != self._title:
            return None
        asked = self._worklist.film_requests.wanted_for(str(request.AffectedSOPInstanceUID))
        if not asked or request.DataSet is None:
            return None
        data = received_file(event)
        header = read_header(data)
        if header is None or any(is_wanted(header, film) for film in asked):
            return None
        return refused(store_answers.OTHER_PATIENT, data)
