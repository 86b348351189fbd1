"""Event reports on associations that peers have opened, sent when nothing else is under way.

pynetdicom 3.0 takes whatever message comes next for the answer to its own `send_n_event_report`: a
film that is arriving would be lost, and its association aborted. Here the thread of the association
sends the report itself, between two messages, and goes on serving; the answer is recognised among
what comes. This leans on names of pynetdicom that are not public; its version is pinned, and tests
look for their effect.

References
----------
DICOM PS3.7 10.1.1 (N-EVENT-REPORT), D.3.3.3 (without negotiation, one notification at a time).
"""

import itertools
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode

from cxr_app.errors import ArchiveError
from cxr_app.pacs.association import ANSWER_SECONDS

QUIET_SECONDS = 0.5
"""Silence before a report: many senders cannot take one while they send a film."""
POLL_SECONDS = 0.05
MESSAGE_IDS = range(1, 0x10000)
ENDED = "The sender ended the association."


@dataclass(frozen=True, slots=True)
class EventReport:
    """What a report says.

    Parameters
    ----------
    sop_class, sop_instance
        Who reports.
    kind
        Event type.
    information
        Of the event.
    """

    sop_class: str
    sop_instance: str
    kind: int
    information: Dataset


class EventReports:
    """Sends reports on the associations of one server. Safe for many threads."""

    def __init__(self) -> None:
        self._lines: dict[Association, _Line] = {}

    def on_connected(self, event: evt.Event) -> None:
        """Let an association send; bind it to ``evt.EVT_CONN_OPEN``, after `idle_wait`."""
        self._lines[event.assoc] = _Line(event.assoc)

    def on_message(self, event: evt.Event) -> None:
        """Note a message; bind it to ``evt.EVT_DIMSE_RECV`` and ``evt.EVT_DIMSE_SENT``."""
        line = self._lines.get(event.assoc)
        if line is not None:
            line.note(event.message)

    def on_closed(self, event: evt.Event) -> None:
        """Forget an association; bind it to ``evt.EVT_CONN_CLOSE``."""
        self._lines.pop(event.assoc, None)

    def send(self, association: Association, report: EventReport) -> int:
        """Send a report once its peer is quiet, and return the status that the peer answers.

        Raises
        ------
        ArchiveError
            If the association ends first, or no answer comes.
        """
        line = self._lines.get(association)
        if line is None:
            raise ArchiveError(ENDED)
        return line.deliver(report)


@dataclass(eq=False, slots=True)
class _Notice:
    """A report on its way."""

    request: N_EVENT_REPORT
    context_id: int
    answered: threading.Event = field(default_factory=threading.Event)
    status: int = 0


class _Line:
    """The reports of one association, one at a time."""

    def __init__(self, association: Association) -> None:
        self._association = association
        self._message_ids = itertools.cycle(MESSAGE_IDS)
        self._one_at_a_time = threading.Lock()
        self._waiting: _Notice | None = None
        self._sent: _Notice | None = None
        self._touched = time.monotonic()
        checkpoint: Any = association._reactor_checkpoint
        self._pass_checkpoint = checkpoint.wait
        checkpoint.wait = self._wait  # the association's thread comes by before each message

    def deliver(self, report: EventReport) -> int:
        """Have a report sent, and wait for its answer."""
        with self._one_at_a_time:
            self._waiting = notice = self._notice(report)
            try:
                while not notice.answered.wait(POLL_SECONDS):
                    if not self._association.is_established:
                        raise ArchiveError(ENDED)
                    if self._is_quiet(ANSWER_SECONDS):
                        raise ArchiveError("The sender did not answer the report.")
            finally:
                self._waiting = self._sent = None
            return notice.status

    def note(self, message: object) -> None:
        """Remember when a message came or went; recognise the answer."""
        self._touched = time.monotonic()
        notice = self._sent
        if notice is None or not isinstance(message, N_EVENT_REPORT_RSP):
            return
        answer: Any = message.command_set
        if answer.get("MessageIDBeingRespondedTo") == notice.request.MessageID:
            notice.status = int(answer.Status)
            notice.answered.set()

    def _wait(self, timeout: float | None = None) -> bool:
        is_set: bool = self._pass_checkpoint(timeout)
        notice = self._waiting
        if notice is not None and self._is_quiet(QUIET_SECONDS):
            self._waiting, self._sent = None, notice
            self._association.dimse.send_msg(notice.request, notice.context_id)
        return is_set

    def _is_quiet(self, seconds: float) -> bool:
        """Check whether no message is arriving or waits, and none came or went of late."""
        provider = self._association.dimse
        if provider.message is not None or not provider.msg_queue.empty():
            return False
        return time.monotonic() - self._touched > seconds

    def _notice(self, report: EventReport) -> _Notice:
        contexts = self._association.accepted_contexts
        context: Any = next(each for each in contexts if each.abstract_syntax == report.sop_class)
        syntax = context.transfer_syntax[0]
        form = syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated
        encoded = encode(report.information, *form)
        if encoded is None:
            raise ArchiveError("The report cannot be encoded.")
        request = N_EVENT_REPORT()
        request.MessageID = next(self._message_ids)
        request.AffectedSOPClassUID = UID(report.sop_class)
        request.AffectedSOPInstanceUID = UID(report.sop_instance)
        request.EventTypeID = report.kind
        request.EventInformation = BytesIO(encoded)
        return _Notice(request, context.context_id)
