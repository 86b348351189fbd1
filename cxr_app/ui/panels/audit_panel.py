"""The events of the audit: chosen by filters, listed, exported, and their chain checked."""

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from cxr_app.audit.event import AuditKind, AuditOutcome, AuditRecord
from cxr_app.audit.message import as_json
from cxr_app.audit.store import AuditFilter
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import exporting, guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting

PLACE = "audit"
LENGTH = 200
EXPORTED = 100_000
"""Largest number of events in one export."""
DAYS = 7
STATE = "chain_state"


def choose_events() -> AuditFilter:
    """Offer the filters; return which events are wanted."""
    today = datetime.now(UTC).date()
    first, last, kind, outcome, who, patient = st.columns(6)
    since = first.date_input("From", today - timedelta(days=DAYS), key="audit_since")
    until = last.date_input("To", today, key="audit_until")
    chosen = kind.selectbox("What", list(AuditKind), index=None, key="audit_kind")
    ended = outcome.selectbox("Outcome", list(AuditOutcome), index=None, key="audit_outcome")
    name = who.text_input(
        "Who", key="audit_who", max_chars=60, help="The whole name, in capitals or small letters."
    )
    patient_id = patient.text_input(
        "Patient ID",
        key="audit_patient",
        max_chars=131,  # both parts of 64
        help="Found by its keyed hash, whoever issued it; `ID^^^ISSUER` finds one issuer's alone.",
    )
    return AuditFilter(
        since=_midnight(since),
        until=_midnight(until, days=1),
        kind=chosen,
        outcome=ended,
        who=str(name or "").strip(),
        patient=_marks(str(patient_id or "").strip()),
    )


def audit_table(wanted: AuditFilter) -> None:
    """List the newest events, and offer them as a file."""
    store = resources.audit().store
    records = store.newest(wanted, LENGTH)
    if not records:
        st.info("No event matches. Choose other days or remove a filter.")
        return
    st.dataframe([_row(record) for record in records], hide_index=True, key="audit_events")
    if len(records) == LENGTH:
        st.caption(f"The newest {LENGTH}; the file below has up to {EXPORTED:,}.")

    def make() -> bytes:
        found = store.newest(wanted, EXPORTED)
        return "".join(f"{as_json(record)}\n" for record in reversed(found)).encode()

    st.download_button(
        "As JSON lines",
        exporting(Permission.EXPORT_AUDIT, make),
        "audit.jsonl",
        "application/jsonl",
        key="export_audit",
        icon=":material/download:",
        on_click="ignore",
    )


def chain_check() -> None:
    """Offer to check the chain, and show what was found; show what keeps events from leaving."""
    show_problem(PLACE)
    for problem in (resources.audit().problem, resources.syslog().problem):
        if problem:
            st.warning(formatting.escape_markdown(problem))
    st.button("Check the chain", key="check_chain", on_click=attempt, args=(_check, PLACE))
    if sentence := st.session_state.get(STATE):
        st.caption(formatting.escape_markdown(sentence))


def _marks(patient_id: str) -> frozenset[str]:
    if not patient_id:
        return frozenset()
    return resources.audit().sought_marks(patient_id, resources.worklist().instances.issuers())


@guarded(Permission.CHECK_AUDIT)
def _check() -> None:
    state = resources.audit().store.verify()
    st.session_state[STATE] = (
        f"{state.fault} The {state.events:,} events before it are whole. Compare with a backup and "
        "with the syslog server, and keep the file as it is."
        if state.fault
        else f"The chain is whole: {state.events:,} events, the last with digest {state.head}."
    )


def _row(record: AuditRecord) -> dict[str, object]:
    event = record.event
    return {
        "Number": record.number,
        "Time (UTC)": event.happened_at.strftime("%Y-%m-%d %H:%M:%S"),
        "What": event.kind.value,
        "Outcome": event.outcome.value,
        "Who": event.who,
        "From": event.address,
        "Film": event.film,
        "Patient": event.patient_id or event.patient,
        "Detail": event.detail,
    }


def _midnight(day: date, days: int = 0) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(days=days)
