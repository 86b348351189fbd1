"""DICOM films by their SOP Instance UID and content: one film is one entry, however it arrives.

Each method is one transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, select, union
from sqlalchemy.orm import Session

from cxr_app.worklist.arrivals import end_arrivals_in_the_future, insert_film, new_entry
from cxr_app.worklist.further_files import MOST_SHARING, add_further_file
from cxr_app.worklist.locking import locked_entry, locked_entry_by_id, take_turns
from cxr_app.worklist.mapping import receive_again
from cxr_app.worklist.received_tables import InstanceRow
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Instance:
    """A file of a film that is in the worklist.

    Parameters
    ----------
    sha256, path
        Of the file.
    dataset_sha256
        Of its content without the meta header; empty for films of older versions.
    is_deleted
        Whether its files have been deleted.
    """

    entry_id: str
    sha256: str
    dataset_sha256: str
    path: Path
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A file of a film that has arrived and is kept.

    Parameters
    ----------
    sha256, dataset_sha256, path
        As in `Instance`.
    sop_instance_uid
        Empty if the file states no legal one.
    source
        As in `Entry`.
    remarks
        What the reader should know of it at once.
    """

    sha256: str
    dataset_sha256: str
    sop_instance_uid: str
    source: str
    path: Path
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Others:
    """The entries with the same SOP Instance UID that a new film was compared with.

    Parameters
    ----------
    ids
        All of them.
    remarks
        What their readers should know from now on, by id.
    """

    ids: frozenset[str] = frozenset()
    remarks: Mapping[str, str] = field(default_factory=dict)


ROWS_AT_ONCE = 1000
_IS_THERE = EntryRow.film_deleted_at.is_(None)
# Built once: for each film that arrives, to build them would take longer than to run them.
_OF_CONTENT = union(
    select(InstanceRow.entry_number).where(
        InstanceRow.dataset_sha256 == bindparam("dataset_sha256")
    ),
    select(EntryRow.number).where(EntryRow.sha256 == bindparam("sha256")),
)
_OF_UID = (
    select(EntryRow.number)
    .where(EntryRow.sop_instance_uid == bindparam("sop_instance_uid"))
    .limit(MOST_SHARING)
)


class Instances(Transactions):
    """The files of DICOM films."""

    def alike(self, sha256: str, dataset_sha256: str, sop_instance_uid: str) -> list[Instance]:
        """Return the files of the entries of equal content, or with the same UID."""
        with self._database.reading() as session:
            numbers = _alike(session, sha256, dataset_sha256, sop_instance_uid)
            return list(_files(session, EntryRow.number.in_(numbers))) if numbers else []

    def every(self) -> Iterator[Instance]:
        """Yield the files of all entries, those that were deleted included."""
        with self._database.reading() as session:
            yield from _files(session)

    def issuers(self) -> frozenset[str]:
        """Return the issuers of Patient IDs that films name."""
        issuers = select(EntryRow.issuer_of_patient_id).distinct()
        with self._database.reading() as session:
            return frozenset(filter(None, session.scalars(issuers)))

    def add(self, new: NewInstance, others: Others) -> tuple[str, bool] | None:
        """Add a film as an entry of its own.

        Returns
        -------
        tuple of str and bool, or None
            The entry's id, and whether it is new or has come back; None if the worklist meanwhile
            has films alike that it was not compared with.
        """
        now = self._clock()
        values = new_entry(new.sha256, new.source, new.path, now)
        values |= {
            "sop_instance_uid": new.sop_instance_uid or None,
            "arrival_remarks": new.remarks,
        }
        with self._database.writing() as session:
            take_turns(session, [new.sop_instance_uid or new.dataset_sha256])
            numbers = _alike(session, new.sha256, new.dataset_sha256, new.sop_instance_uid)
            if not _ids_of(session, numbers) <= others.ids:
                return None
            end_arrivals_in_the_future(session, now)
            entry_id, is_new = insert_film(session, self._database.insert, values)
            self._add_file(session, entry_id, new)
            for other_id, remark in others.remarks.items():
                _remark(session, other_id, remark)
            return entry_id, is_new

    def add_file(self, entry_id: str, new: NewInstance, *, is_shown: bool) -> bool:
        """Add a further file of a film.

        Parameters
        ----------
        is_shown
            Whether pages show this file from now on, as the others lie where they may go.

        Returns
        -------
        bool
            False if meanwhile the film was deleted, or another file of equal content was added.
        """
        with self._database.writing() as session:
            entry = locked_entry(session, EntryRow.id == entry_id, _IS_THERE)
            if entry is None:
                return False
            self._add_file(session, entry_id, new)
            same = select(InstanceRow.sha256).filter_by(dataset_sha256=new.dataset_sha256)
            if session.scalar(same) != new.sha256:
                return False
            if is_shown:
                self._show(session, entry, new)
            return True

    def restore(self, lost: Instance, new: NewInstance) -> bool:
        """Let a file of equal content take the place of one that is gone, or may go.

        A film that had been deleted is unread again, and waits for a score. The files that it had
        are further ones from now on, so that a backup loses them together with the film.

        Returns
        -------
        bool
            Whether it had been deleted.

        Raises
        ------
        EntryNotFoundError
            If there is no such entry.
        """
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, lost.entry_id)
            was_deleted = entry.film_deleted_at is not None
            if was_deleted or entry.sha256 == lost.sha256:
                self._show(session, entry, new)
            if was_deleted:
                receive_again(entry, new.source, new.path, self._clock())
                entry.sop_instance_uid = new.sop_instance_uid or None
            rows = delete(InstanceRow).where(InstanceRow.entry_number == entry.number)
            if not was_deleted:
                rows = rows.where(InstanceRow.dataset_sha256 == new.dataset_sha256)
            for sha256 in session.scalars(rows.returning(InstanceRow.sha256)).all():
                if sha256 != new.sha256:
                    add_further_file(session, self._database.insert, sha256, entry.number)
            self._add_file(session, lost.entry_id, new)
            return was_deleted

    def add_further(self, entry_id: str, sha256: str) -> None:
        """Note that a film is in another file, too, which is not kept here."""
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            add_further_file(session, self._database.insert, sha256, entry.number)

    def _show(self, session: Session, entry: EntryRow, new: NewInstance) -> None:
        """Let pages show a file from now on, in place of the entry's own."""
        if entry.sha256 != new.sha256:
            add_further_file(session, self._database.insert, entry.sha256, entry.number)
        entry.sha256, entry.path = new.sha256, new.path

    def _add_file(self, session: Session, entry_id: str, new: NewInstance) -> None:
        row = {
            "entry_id": entry_id,
            "sha256": new.sha256,
            "dataset_sha256": new.dataset_sha256,
            "path": new.path,
        }
        session.execute(_insertion(self._database.insert), row)


def _alike(
    session: Session, sha256: str, dataset_sha256: str, sop_instance_uid: str
) -> Sequence[int]:
    content = {"dataset_sha256": dataset_sha256, "sha256": sha256}
    found = set(session.scalars(_OF_CONTENT, content))
    if sop_instance_uid:
        sharing = session.scalars(_OF_UID, {"sop_instance_uid": sop_instance_uid}).all()
        if len(sharing) < MOST_SHARING:
            found.update(sharing)
    return sorted(found)


def _ids_of(session: Session, numbers: Sequence[int]) -> set[str]:
    if not numbers:
        return set()
    return set(session.scalars(select(EntryRow.id).where(EntryRow.number.in_(numbers))))


def _files(session: Session, *conditions: ColumnElement[bool]) -> Iterator[Instance]:
    """Yield the files of entries; an entry of an older version has one without a hash."""
    statement = (
        select(
            *(EntryRow.id, EntryRow.sha256, EntryRow.path, EntryRow.film_deleted_at),
            *(InstanceRow.sha256, InstanceRow.dataset_sha256, InstanceRow.path),
        )
        .outerjoin(InstanceRow, InstanceRow.entry_number == EntryRow.number)
        .where(*conditions)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for row in session.execute(statement):
        entry_id, shown, shown_path, deleted_at, sha256, dataset_sha256, path = row
        yield Instance(
            entry_id=entry_id,
            sha256=sha256 or shown,
            dataset_sha256=dataset_sha256 or "",
            path=path or shown_path,
            is_deleted=deleted_at is not None,
        )


def _remark(session: Session, entry_id: str, remark: str) -> None:
    entry = locked_entry(session, EntryRow.id == entry_id, _IS_THERE)
    if entry is not None and remark not in entry.arrival_remarks:
        entry.arrival_remarks = (*entry.arrival_remarks, remark)


@cache
def _insertion(insert: Callable[..., Any]) -> Any:
    """Return the statement that adds a file to the entry of an id."""
    files: Table = InstanceRow.__table__  # type: ignore[assignment]
    number = select(EntryRow.number).where(EntryRow.id == bindparam("entry_id")).scalar_subquery()
    statement = insert(files).values(entry_number=number)
    return statement.on_conflict_do_nothing(index_elements=["dataset_sha256"])
