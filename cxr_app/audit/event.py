"""One event of the audit."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditKind(StrEnum):
    """What happened."""

    STARTED = "STARTED"
    """A server started; the detail names the settings that are not the default."""
    STOPPED = "STOPPED"
    SIGNED_IN = "SIGNED_IN"
    """A person opened a window of the program."""
    SIGNED_OUT = "SIGNED_OUT"
    REFUSED = "REFUSED"
    """A request, a page or an action was refused; the detail says which."""
    FILM_SHOWN = "FILM_SHOWN"
    """The pixels of a film were sent to a browser."""
    HEADER_SHOWN = "HEADER_SHOWN"
    """A film's page, with its header, was opened."""
    SEARCHED = "SEARCHED"
    """The list was searched; the patient's mark is that of the words."""
    ACTION = "ACTION"
    """A person changed something; the detail says what."""
    UNMASKED = "UNMASKED"
    """A person had names and ids shown."""
    EXPORTED = "EXPORTED"
    """A person was given a file; the detail says which."""
    DELETED = "DELETED"
    """A film was deleted at the end of its retention time."""
    SWEPT = "SWEPT"
    """Films whose retention time has ended were looked for; the detail says how many."""
    RECEIVED = "RECEIVED"
    """A film came from another machine, or was refused to it; the detail says which."""
    FETCHED = "FETCHED"
    """An archive was asked for a patient's earlier films ahead of a reader; the detail says how
    it ended."""
    SENT = "SENT"
    """A film's result was sent to an archive, or not taken by it."""
    COMMAND = "COMMAND"
    """A user of the operating system ran a command; the detail says which and how it ended."""
    AUDIT_READ = "AUDIT_READ"
    """A person read or exported the audit."""


class AuditOutcome(StrEnum):
    """How it ended."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event.

    Parameters
    ----------
    happened_at
        Aware, UTC.
    who
        Name as signed in, else as typed; AE title of a machine, user of the operating system for a
        command, name of the program where nobody asked.
    address
        IP address from which it was asked; empty if unknown.
    film
        Id of the film's entry; empty if it concerns none.
    patient
        Mark of the patient's identity, made of keyed hashes; empty if it concerns none.
    patient_id
        The Patient ID itself, where the site allows it.
    detail
        In words; names no patient.
    """

    happened_at: datetime
    kind: AuditKind
    who: str = ""
    address: str = ""
    outcome: AuditOutcome = AuditOutcome.DONE
    film: str = ""
    patient: str = ""
    patient_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in the chain.

    Parameters
    ----------
    number
        Ascending from 1, without gaps.
    digest
        SHA-256 of the digest before it and of the event, in hexadecimal.
    """

    number: int
    event: AuditEvent
    digest: str
