"""The events of an installation's audit, read from its disk as an auditor does."""

from pathlib import Path

from cxr_app.audit.event import AuditEvent, AuditKind
from cxr_app.audit.store import AuditStore


def events(folder: Path, *kinds: AuditKind) -> list[AuditEvent]:
    """Return the events of an audit in order, of these kinds if any is named."""
    found = [record.event for record in AuditStore(folder).after(0, 100_000)]
    return [event for event in found if not kinds or event.kind in kinds]
