"""One object sent to us to its answer: success only once film and entry are durable."""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pynetdicom import evt

from cxr_app import log_privacy
from cxr_app.errors import (
    CxrError,
    FilmTooLargeError,
    NotAFilmError,
    PixelDataError,
    ShortageError,
    WorklistError,
)
from cxr_app.imaging.film_identity import FilmIdentity, film_identity
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.imaging.stated_identity import STATED_BYTES, stated_identity
from cxr_app.pacs import store_answers
from cxr_app.pacs.contexts import FILM_CLASSES
from cxr_app.pacs.fast_pdus import received_beginning, received_file
from cxr_app.pacs.peer_counts import PeerName
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.pacs.store_answers import StoreAnswer

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Objects that are entered at a time: SQLite lets one write, and lets others starve if many ask."""
TURN_SECONDS = 9.0
"""Longest wait for a turn: peers give up after 10 seconds and must have an answer."""
MIN_FREE_BYTES = 256 * 2**20
"""Room below which nothing more is received, so that the database keeps some."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an object.

    Parameters
    ----------
    answer
        For its sender.
    arrived
        What it was; None if it was refused.
    identity
        Of one that was refused, what `stated_identity` reads; None if its header names nothing.
    entry_id
        Empty unless it is a film of the worklist now.
    """

    answer: StoreAnswer
    arrived: Arrived | None = None
    identity: FilmIdentity | None = None
    entry_id: str = ""


class Storing:
    """Stores what is sent over the network. Safe for many threads.

    Parameters
    ----------
    reception
        Where films go.
    folder
        Of the film store, whose disk must have room.
    """

    def __init__(self, reception: Reception, folder: Path) -> None:
        self._reception = reception
        self._folder = folder
        self._turns = threading.BoundedSemaphore(AT_ONCE)  # first come, first served

    def store(self, event: evt.Event, peer: PeerName) -> Stored:
        """Store the object of a C-STORE request, or refuse it with the reason."""
        request: Any = event.request
        if _size(request.DataSet) > MAX_FILE_BYTES:
            return refused(store_answers.TOO_LARGE, received_beginning(event, STATED_BYTES))
        announced = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
        return self.take(received_file(event), "@".join(peer), announced)

    def take(self, data: bytes, source: str, announced: tuple[str, str] | None = None) -> Stored:
        """Store an object, or refuse it with the reason; whatever it is, there is an answer.

        Parameters
        ----------
        data
            The file.
        source
            As in `Entry`.
        announced
            SOP class and instance that the sender says it is; None if it says nothing.

        References
        ----------
        DICOM PS3.4 B.2.3 (statuses).
        """
        try:
            return self._take(data, source, announced)
        except (ShortageError, WorklistError, MemoryError) as error:
            reason = str(error) if isinstance(error, CxrError) else "out of memory"
            logger.error("A film could not be kept: %s", reason)  # noqa: TRY400
            return refused(store_answers.NO_ROOM, data)
        except Exception as error:  # noqa: BLE001
            logger.error("Receiving met a fault:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
            return refused(store_answers.FAULT, data)

    def _take(self, data: bytes, source: str, announced: tuple[str, str] | None) -> Stored:
        try:
            identity = film_identity(data)
        except PixelDataError:
            return refused(store_answers.CUT_SHORT, data)
        except FilmTooLargeError:
            return refused(store_answers.TOO_LARGE, data)
        except NotAFilmError:
            identity = None
        if identity is None:
            return refused(store_answers.UNREADABLE, data)
        refusal = _refusal(identity, announced)
        if refusal is None and not self._has_room(len(data)):
            refusal = store_answers.NO_ROOM
        if refusal is not None:
            return refused(refusal, data)
        with self._turn():
            receipt = self._reception.receive(data, source, identity)
        return Stored(store_answers.STORED, receipt.arrived, identity, receipt.entry_id)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise WorklistError("More films arrive than can be kept at once. Send it again.")
        try:
            yield
        finally:
            self._turns.release()

    def _has_room(self, size: int) -> bool:
        folder = next(each for each in (self._folder, *self._folder.parents) if each.exists())
        return shutil.disk_usage(folder).free > MIN_FREE_BYTES + size


def refused(answer: StoreAnswer, data: bytes) -> Stored:
    """Return the refusal of an object, named as far as its header can be read.

    Parameters
    ----------
    answer
        For its sender.
    data
        The file, or its first `STATED_BYTES`.
    """
    return Stored(answer, identity=stated_identity(data))


def _size(dataset: BytesIO | None) -> int:
    return 0 if dataset is None else dataset.getbuffer().nbytes


def _refusal(identity: FilmIdentity, announced: tuple[str, str] | None) -> StoreAnswer | None:
    """Return why an object is not received; None if it may be a film, or is our own result."""
    stated = (identity.sop_class_uid, identity.sop_instance_uid)
    if "" in stated or (announced is not None and stated != announced):
        return store_answers.OTHER_OBJECT
    if identity.is_own_result or identity.sop_class_uid in FILM_CLASSES:
        return None
    return store_answers.NO_FILM
