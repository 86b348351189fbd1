"""The audit in a backup: copied while servers write to it, restored without loss."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cxr_app.atomic_file import atomic_write
from cxr_app.audit.log import KEY_FILE
from cxr_app.audit.store import FILE, AuditStore, stored_head
from cxr_app.film_store import file_sha256, make_private_folder
from cxr_app.settings import Settings

PLACE = "audit"
"""Folder of the audit in a backup."""


def copy_audit(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Copy the audit and its key into a backup; yield the place and the SHA-256 of each.

    Raises
    ------
    AuditError
        If the audit cannot be read.
    """
    source, target = settings.audit_folder, folder / PLACE
    if not (source / FILE).is_file():
        return
    make_private_folder(target)
    partial = target / f"{FILE}.part"
    AuditStore(source).copy(partial)
    partial.replace(target / FILE)
    if (source / KEY_FILE).is_file():
        atomic_write(target / KEY_FILE, (source / KEY_FILE).read_bytes(), private=True)
    for name in (FILE, KEY_FILE):
        if (target / name).is_file():
            yield f"{PLACE}/{name}", file_sha256(target / name)


def restore_audit(settings: Settings, folder: Path) -> None:
    """Restore the audit of a backup, unless the place has it, and perhaps later events, already.

    Other events that the place has are kept beside it.

    Raises
    ------
    AuditError
        If either cannot be read or written.
    """
    source, target = folder / PLACE, settings.audit_folder
    if not (source / FILE).is_file():
        return
    make_private_folder(target)
    if (target / FILE).is_file():
        here = AuditStore(target)
        if holds_events(here, source / FILE):
            return
        _set_aside(here, target)
    for name in (FILE, KEY_FILE):
        if (source / name).is_file():
            atomic_write(target / name, (source / name).read_bytes(), private=True)


def holds_events(here: AuditStore, copied: Path) -> bool:
    """Check whether an audit holds all events of another file, if any, and perhaps later ones.

    Raises
    ------
    AuditError
        If either cannot be read.
    """
    number, digest = stored_head(copied)
    return number > 0 and any(each.digest == digest for each in here.after(number - 1, 1))


def _set_aside(here: AuditStore, folder: Path) -> None:
    """Keep the events of this place, if any, under a name that says when."""
    if here.head()[0]:
        here.copy(folder / f"audit-until-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.sqlite")
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
