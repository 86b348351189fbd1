"""What is sent to archives, as events of the audit."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError
from cxr_app.radiograph import Header
from cxr_app.worklist import Outgoing

SENDER = "results"
"""Name recorded in place of a person's: nobody asks for a result."""


@contextmanager
def noted_sending(
    audit: AuditLog | None, header: Header | None, outgoing: Outgoing, destination: Destination
) -> Iterator[None]:
    """Record how the sending of an object ended, before the outbox does.

    An object whose event was not recorded is sent again after a crash, and recorded then.
    """
    outcome = AuditOutcome.FAILED
    try:
        yield
        outcome = AuditOutcome.DONE
    except ArchiveError:
        outcome = AuditOutcome.REFUSED
        raise
    finally:
        if audit is not None:
            audit.record_now(
                AuditKind.SENT,
                header,
                who=SENDER,
                film=outgoing.entry_id,
                outcome=outcome,
                detail=f"{outgoing.kind.value} to {destination.name}",
            )
