"""What is received over the network, and from whom, as events of the audit."""

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.pacs.peer_counts import PeerName
from cxr_app.pacs.storing import Stored
from cxr_app.radiograph import Header


def note_received(audit: AuditLog | None, peer: PeerName, stored: Stored) -> None:
    """Record what became of an object; to be called before its sender is answered.

    A sender that is not answered sends again: no film that was acknowledged lacks its event, unless
    the disk of the audit takes none; then the event is kept in memory, and films go on.
    """
    if audit is None:
        return
    who, address = peer
    identity, patient = stored.identity, None
    if identity is not None:
        patient = Header(
            patient_id=identity.patient_id, issuer_of_patient_id=identity.issuer_of_patient_id
        )
    is_kept = stored.arrived is not None
    audit.record_now(
        AuditKind.RECEIVED,
        patient,
        who=who,
        address=address,
        film=stored.entry_id,
        outcome=AuditOutcome.DONE if is_kept else AuditOutcome.REFUSED,
        detail=stored.arrived.value if stored.arrived is not None else stored.answer.comment,
    )


def note_rejected(audit: AuditLog | None, peer: PeerName, reason: str) -> None:
    """Record that a peer may not send."""
    if audit is None:
        return
    who, address = peer
    outcome = AuditOutcome.REFUSED
    detail = f"association: {reason}"
    audit.record(AuditKind.REFUSED, who=who, address=address, outcome=outcome, detail=detail)
