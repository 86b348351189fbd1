"""Storage commitment: a sender asks whether films are kept for good, and is told of each.

The answer goes to the address that the settings have for the sender's AE title, among the archives
that films come from and results go to; to another sender, and to one that cannot be reached there,
on its own association, if it waits.

References
----------
DICOM PS3.4 J (Storage Commitment Push Model).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydicom import Dataset
from pynetdicom import build_role, evt
from pynetdicom.association import Association

from cxr_app import log_privacy
from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError, CxrError, FilmLostError
from cxr_app.film_store import FilmStore, read_film
from cxr_app.imaging.film_identity import film_identity
from cxr_app.pacs.association import calling_entity, open_association
from cxr_app.pacs.contexts import COMMITMENT
from cxr_app.pacs.destinations import destinations_of
from cxr_app.pacs.event_reports import ENDED, EventReport, EventReports
from cxr_app.settings import Settings
from cxr_app.worklist import Instance, Worklist

logger = logging.getLogger(__name__)

COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
"""The well-known SOP instance of the class."""
REQUEST, ALL_KEPT, SOME_NOT = 1, 1, 2
"""Action type; event types."""
PROCESSING_FAILURE, NO_SUCH_OBJECT, OTHER_CLASS = 0x0110, 0x0112, 0x0119
NO_SUCH_ACTION, MISSING_ATTRIBUTE = 0x0123, 0x0120
TRIES_SECONDS = (0.2, 2.0, 10.0)
"""Waits before each try to deliver an answer; a sender that hears nothing asks again."""


class StorageCommitment:
    """Answers requests for storage commitment. Safe for many threads.

    Parameters
    ----------
    settings
        The addresses of senders.
    worklist
        Where films are entered.
    reports
        Of the server whose associations senders ask on.
    """

    def __init__(self, settings: Settings, worklist: Worklist, reports: EventReports) -> None:
        self._settings = settings
        self._films = FilmStore(settings.films_dir)
        self._worklist = worklist
        self._reports = reports

    def on_action(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """Answer an N-ACTION; the N-EVENT-REPORT follows from a thread of its own."""
        if event.action_type != REQUEST:
            return NO_SUCH_ACTION, None
        asked = event.action_information
        if not asked.get("TransactionUID") or not asked.get("ReferencedSOPSequence"):
            return MISSING_ATTRIBUTE, None
        threading.Thread(
            target=self._answer, args=(asked, event.assoc), name="storage-commitment", daemon=True
        ).start()
        return 0x0000, None

    def _answer(self, asked: Dataset, association: Association) -> None:
        try:
            report = self.report(asked)
            self._deliver(report, association)
        except CxrError as error:
            logger.warning("A request for storage commitment was not answered: %s", error)
        except Exception as error:  # noqa: BLE001 - the message may quote patient data
            logger.error("Storage commitment failed:\n%s", log_privacy.fault_report(error))  # noqa: TRY400

    def report(self, asked: Dataset) -> Dataset:
        """Return which of the objects asked for are kept, as PS3.4 table J.3-2 has it."""
        kept: list[Dataset] = []
        missing: list[Dataset] = []
        for item in asked.ReferencedSOPSequence:
            reference = Dataset()
            reference.ReferencedSOPClassUID = item.get("ReferencedSOPClassUID", "")
            reference.ReferencedSOPInstanceUID = item.get("ReferencedSOPInstanceUID", "")
            reason = self._objection(
                str(reference.ReferencedSOPClassUID), str(reference.ReferencedSOPInstanceUID)
            )
            if reason:
                reference.FailureReason = reason
            (missing if reason else kept).append(reference)
        report = Dataset()
        report.TransactionUID = asked.TransactionUID
        if kept:
            report.ReferencedSOPSequence = kept
        if missing:
            report.FailedSOPSequence = missing
        return report

    def _objection(self, sop_class_uid: str, sop_instance_uid: str) -> int:
        """Return why an object is not committed to; 0 if its film is entered, stored and whole.

        A film of a backlog that only its folder holds may go at any time.
        """
        if not sop_instance_uid:
            return NO_SUCH_OBJECT
        alike = self._worklist.instances.alike("", "", sop_instance_uid)
        kept = [
            each
            for each in alike
            if not each.is_deleted and self._films.is_place_of(each.path, each.sha256)
        ]
        return min((_film_objection(each, sop_class_uid) for each in kept), default=NO_SUCH_OBJECT)

    def _deliver(self, information: Dataset, association: Association) -> None:
        title = str(association.requestor.ae_title).strip()
        address = self._address(title)
        kind = SOME_NOT if "FailedSOPSequence" in information else ALL_KEPT
        report = EventReport(COMMITMENT, COMMITMENT_INSTANCE, kind, information)
        problem = ArchiveError(
            f"{title} did not wait on its association, and neither CXR_FILMS_FROM nor "
            "CXR_RESULTS_TO has its address."
        )
        for pause in TRIES_SECONDS:
            time.sleep(pause)
            for deliver in self._ways(report, association, address):
                try:
                    deliver()
                except ArchiveError as error:
                    problem = error
                else:
                    return
        raise problem

    def _ways(
        self, report: EventReport, association: Association, address: Destination | None
    ) -> Iterator[Callable[[], None]]:
        """Yield what may reach a sender: its address first, where it is busy with no film."""
        if address is not None:
            yield partial(self._call, address, report)
        if association.is_established:
            yield partial(self._tell, association, report)

    def _tell(self, association: Association, report: EventReport) -> None:
        _check(self._reports.send(association, report))

    def _address(self, title: str) -> Destination | None:
        archive = self._settings.film_archive
        known = destinations_of(self._settings, self._worklist)
        known = (*known, *((archive,) if archive else ()))
        return next((each for each in known if each.ae_title == title), None)

    def _call(self, address: Destination, report: EventReport) -> None:
        """Deliver an answer on an association of our own, as the provider of the service."""
        entity = calling_entity(self._settings.ae_title)
        entity.add_requested_context(COMMITMENT)
        association = open_association(
            entity, address, roles=[build_role(COMMITMENT, scu_role=False, scp_role=True)]
        )
        try:
            _send(association, report)
        finally:
            association.release()


def _film_objection(film: Instance, sop_class_uid: str) -> int:
    try:
        identity = film_identity(read_film(film.path, film.sha256))
    except FilmLostError:
        return NO_SUCH_OBJECT
    except CxrError:
        return PROCESSING_FAILURE
    return 0 if identity is not None and identity.sop_class_uid == sop_class_uid else OTHER_CLASS


def _send(association: Any, report: EventReport) -> None:
    own = report.sop_class, report.sop_instance
    try:
        status, _ = association.send_n_event_report(report.information, report.kind, *own)
    except (RuntimeError, ValueError):  # the messages may quote the report
        raise ArchiveError(ENDED) from None
    _check(status.get("Status"))


def _check(status: int | None) -> None:
    if status != 0:
        raise ArchiveError("The sender did not accept the answer.")
