"""An event as an audit message: DICOM PS3.15 A.5 (RFC 3881) in RFC 5424, and as a line of JSON."""

import json
from base64 import b64encode
from dataclasses import asdict
from xml.etree import ElementTree as ET

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome, AuditRecord

PRIORITY = 13 * 8 + 5
"""Facility 13 (log audit), severity 5 (notice): RFC 5424, table 1 and 2."""
APPLICATION = "cxr-triage"
MESSAGE_ID = "DICOM+RFC3881"
"""MSGID of audit messages: PS3.15 A.6.1."""

ACTIVITY = ("110100", "Application Activity")
ACCESSED = ("110103", "DICOM Instances Accessed")
DELETED = ("110105", "DICOM Study Deleted")
EXPORT = ("110106", "Export")
TRANSFERRED = ("110104", "DICOM Instances Transferred")
QUERY = ("110112", "Query")
ALERT = ("110113", "Security Alert")
AUTHENTICATION = ("110114", "User Authentication")
LOG_USED = ("110101", "Audit Log Used")
RECORD = ("110110", "Patient Record")

CODES: dict[AuditKind, tuple[tuple[str, str], tuple[str, str] | None, str]] = {
    AuditKind.STARTED: (ACTIVITY, ("110120", "Application Start"), "E"),
    AuditKind.STOPPED: (ACTIVITY, ("110121", "Application Stop"), "E"),
    AuditKind.SIGNED_IN: (AUTHENTICATION, ("110122", "Login"), "E"),
    AuditKind.SIGNED_OUT: (AUTHENTICATION, ("110123", "Logout"), "E"),
    AuditKind.REFUSED: (ALERT, ("110147", "Access Control Decision"), "E"),
    AuditKind.FILM_SHOWN: (ACCESSED, None, "R"),
    AuditKind.HEADER_SHOWN: (ACCESSED, None, "R"),
    AuditKind.SEARCHED: (QUERY, None, "E"),
    AuditKind.ACTION: (RECORD, None, "U"),
    AuditKind.UNMASKED: (RECORD, None, "R"),
    AuditKind.EXPORTED: (EXPORT, None, "R"),
    AuditKind.DELETED: (DELETED, None, "D"),
    AuditKind.SWEPT: (ACTIVITY, None, "E"),
    AuditKind.RECEIVED: (TRANSFERRED, None, "C"),
    AuditKind.FETCHED: (QUERY, None, "E"),
    AuditKind.SENT: (TRANSFERRED, None, "R"),
    AuditKind.COMMAND: (ACTIVITY, None, "E"),
    AuditKind.AUDIT_READ: (LOG_USED, None, "R"),
}
"""EventID, EventTypeCode and EventActionCode of each kind: PS3.16 CID 400 and 401."""
OUTCOMES = {AuditOutcome.DONE: "0", AuditOutcome.REFUSED: "4", AuditOutcome.FAILED: "8"}
"""EventOutcomeIndicator: success, minor failure, serious failure (RFC 3881, 5.1.4)."""


def as_json(record: AuditRecord) -> str:
    """Return an event as one line of JSON, with its place in the chain."""
    facts = asdict(record.event) | {"happened_at": _moment(record.event)}
    return json.dumps({"number": record.number, **facts, "digest": record.digest})


def as_xml(record: AuditRecord, source: str) -> bytes:
    """Return an event as AuditMessage.

    Parameters
    ----------
    source
        Name of this installation.
    """
    event = record.event
    event_id, event_type, action = CODES[event.kind]
    message = ET.Element("AuditMessage")
    identification = ET.SubElement(
        message,
        "EventIdentification",
        EventActionCode=action,
        EventDateTime=_moment(event),
        EventOutcomeIndicator=OUTCOMES[event.outcome],
    )
    _code(identification, "EventID", event_id)
    if event_type is not None:
        _code(identification, "EventTypeCode", event_type)
    person = ET.SubElement(
        message,
        "ActiveParticipant",
        UserID=_plain(event.who) or "unknown",
        UserIsRequestor="true",
    )
    if event.address:
        person.set("NetworkAccessPointID", event.address)
        person.set("NetworkAccessPointTypeCode", "2")
    ET.SubElement(message, "AuditSourceIdentification", AuditSourceID=source)
    if event.patient:
        _object(message, "1", "1", ("2", "RFC-3881", "Patient Number"), _patient(event))
    if event.film:
        _object(message, "2", "3", ("12", "RFC-3881", "URI"), f"films/{event.film}")
    chain = _object(message, "2", "13", ("12", "RFC-3881", "URI"), f"audit/{record.number}")
    for name, value in (("digest", record.digest), ("detail", _plain(event.detail))):
        ET.SubElement(chain, "ParticipantObjectDetail", type=name, value=_base64(value))
    body: bytes = ET.tostring(message, "us-ascii")
    return body


def as_syslog(record: AuditRecord, source: str) -> bytes:
    """Return an event as a frame of syslog over TLS: RFC 5425, 4.3, and RFC 5424, 6."""
    head = f"<{PRIORITY}>1 {_moment(record.event)} {source} {APPLICATION} - {MESSAGE_ID} - "
    message = head.encode("ascii") + b"\xef\xbb\xbf" + as_xml(record, source)
    return f"{len(message)} ".encode("ascii") + message


def _object(
    message: ET.Element, kind: str, role: str, code: tuple[str, str, str], value: str
) -> ET.Element:
    found = ET.SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=value,
        ParticipantObjectTypeCode=kind,
        ParticipantObjectTypeCodeRole=role,
    )
    number, system, meaning = code
    attributes = {"csd-code": number, "codeSystemName": system, "originalText": meaning}
    ET.SubElement(found, "ParticipantObjectIDTypeCode", attributes)
    return found


def _patient(event: AuditEvent) -> str:
    return _plain(event.patient_id) or f"keyed:{event.patient}"


def _code(parent: ET.Element, name: str, code: tuple[str, str]) -> None:
    number, meaning = code
    attributes = {"csd-code": number, "codeSystemName": "DCM", "originalText": meaning}
    ET.SubElement(parent, name, attributes)


def _moment(event: AuditEvent) -> str:
    return event.happened_at.isoformat(timespec="microseconds")


def _plain(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _base64(text: str) -> str:
    """Return a text as the value of a detail, which is base64Binary."""
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")
