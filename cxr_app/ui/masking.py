"""Masking of names and ids by one switch; each is replaced by the same short id everywhere.

The short id is a keyed hash, so that it cannot be reversed by trying all patient ids; the key
belongs to the worklist. Pixels are not changed: text burned into a film stays visible.
"""

import hashlib
import hmac
from dataclasses import replace
from pathlib import PurePath

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.radiograph import Header
from cxr_app.ui import access, current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.worklist import Entry

SWITCH = "mask_identities"
"""Session and widget key of the switch."""
DIGITS = 8
"""Length of a short id: among 1,000 patients, two share one in 1 of 10,000 worklists."""


def is_on() -> bool:
    """Check whether names and ids are masked in this session."""
    if not access.may(Permission.UNMASK):
        return True
    chosen = st.session_state.get(SWITCH)
    return resources.settings().mask_identities if chosen is None else bool(chosen)


def switch() -> None:
    """Show the switch to those who may use it; unmasking is recorded."""
    if not access.may(Permission.UNMASK):
        return
    st.session_state.setdefault(SWITCH, resources.settings().mask_identities)
    st.toggle(
        "Mask identities",
        key=SWITCH,
        help="Replaces names and IDs by short IDs. Unmasking is recorded with your name. "
        "Text burned into the image stays visible.",
        persist_state="session",
        on_change=_changed,
    )


def shown(entry: Entry) -> Entry:
    """Return an entry as it may be shown now."""
    return masked(entry, resources.masking_key()) if is_on() else entry


def file_name(source: str) -> str:
    """Return a file name as it may be shown now; it may contain a patient's name."""
    return _file_name(source, resources.masking_key()) if is_on() else source


def masked(entry: Entry, key: bytes) -> Entry:
    """Replace everything that identifies the patient by short ids."""
    source = _file_name(entry.source, key)
    return replace(entry, source=source, header=entry.header and _masked_header(entry.header, key))


def _masked_header(header: Header, key: bytes) -> Header:
    return replace(
        header,
        patient_id=_short("P", _identity(header), key),
        issuer_of_patient_id="",
        patient_name="",
        patient_birth_date="",
        accession_number=_short("A", header.accession_number, key),
        study_instance_uid="",
        series_instance_uid="",
        sop_instance_uid="",
    )


def _identity(header: Header) -> str:
    """Return what distinguishes patients; two issuers may use the same id for two patients."""
    if not header.patient_id:
        return header.patient_name
    return header.patient_id + (header.issuer_of_patient_id and f"\0{header.issuer_of_patient_id}")


def _file_name(source: str, key: bytes) -> str:
    suffix = PurePath(source.replace("\\", "/")).suffix
    return _short("F", source, key) + (suffix if suffix[1:].isalpha() and len(suffix) < 7 else "")


def _short(kind: str, value: str, key: bytes) -> str:
    """Return a short id; empty for an empty value."""
    if not value:
        return ""
    digest = hmac.new(key, f"{kind}{value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{kind}-{digest.hexdigest()[:DIGITS].upper()}"


def _changed() -> None:
    """Record an unmasking; without a record there is none."""
    if st.session_state[SWITCH]:
        return
    st.session_state[SWITCH] = True
    attempt(_unmask)


@guarded(Permission.UNMASK)
def _unmask() -> None:
    resources.worklist().unmasking.record(current_reader.name())
    st.session_state[SWITCH] = False
