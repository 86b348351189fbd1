"""Names and ids put out of sight by one switch; a short id stays, the same everywhere.

The short id is a keyed hash of what it stands for, so that nobody who sees it can try all patient
ids; the key is the worklist's. The pixels of a film are not touched: what is burned in stays.
"""

import hashlib
import hmac
from dataclasses import replace
from pathlib import PurePath

import streamlit as st

from cxr_app.radiograph import Header
from cxr_app.ui import current_reader, resources
from cxr_app.worklist import Entry

SWITCH = "mask_identities"
"""The session's key of the switch, and its widget's."""
DIGITS = 8
"""Of a short id: among a thousand patients, two share one in one of ten thousand worklists."""


def is_on() -> bool:
    """Tell whether names and ids are out of sight in this window."""
    chosen = st.session_state.get(SWITCH)
    return resources.settings().mask_identities if chosen is None else bool(chosen)


def switch() -> None:
    """Offer to mask or to unmask; unmasking is recorded."""
    st.session_state.setdefault(SWITCH, resources.settings().mask_identities)
    st.toggle(
        "Mask identities",
        key=SWITCH,
        help="Names and ids give way to short ids. Unmasking is recorded with your name. "
        "What is written into the picture itself stays.",
        persist_state="session",
        on_change=_changed,
    )


def shown(entry: Entry) -> Entry:
    """Give an entry as it may be shown now."""
    return masked(entry, resources.masking_key()) if is_on() else entry


def file_name(source: str) -> str:
    """Give the name of a file as it may be shown now; a name may be a patient's."""
    return _file_name(source, resources.masking_key()) if is_on() else source


def masked(entry: Entry, key: bytes) -> Entry:
    """Put short ids in the place of everything that names the patient."""
    source = _file_name(entry.source, key)
    return replace(entry, source=source, header=entry.header and _masked_header(entry.header, key))


def _masked_header(header: Header, key: bytes) -> Header:
    return replace(
        header,
        patient_id=_short("P", header.patient_id or header.patient_name, key),
        patient_name="",
        patient_birth_date="",
        accession_number=_short("A", header.accession_number, key),
        study_instance_uid="",
        series_instance_uid="",
        sop_instance_uid="",
    )


def _file_name(source: str, key: bytes) -> str:
    suffix = PurePath(source.replace("\\", "/")).suffix
    return _short("F", source, key) + (suffix if suffix[1:].isalpha() and len(suffix) < 7 else "")


def _short(kind: str, value: str, key: bytes) -> str:
    """Write a short id; nothing stays nothing."""
    if not value:
        return ""
    digest = hmac.new(key, f"{kind}{value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{kind}-{digest.hexdigest()[:DIGITS].upper()}"


def _changed() -> None:
    if not st.session_state[SWITCH]:
        resources.worklist().unmasking.record(current_reader.name())
