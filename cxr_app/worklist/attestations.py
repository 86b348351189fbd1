"""Films scored on a reader's word. Each method is one transaction, and each is recorded."""

from sqlalchemy import select

from cxr_app.errors import AttestationError
from cxr_app.outcome import ScoringState
from cxr_app.pose import Pose
from cxr_app.worklist.entry import Attestation
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.mapping import attest, attestation_of
from cxr_app.worklist.tables import EntryRow, EventRow
from cxr_app.worklist.transactions import Transactions


class Attestations(Transactions):
    """Readers' words that a picture is a frontal chest film, and how it lies."""

    def give(self, entry_id: str, reader: str, pose: Pose) -> None:
        """Record a reader's word; the film waits to be scored on it.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        AttestationError
            If the film is not kept, cannot be shown, or is being scored.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            _refuse_what_cannot_be_scored(entry)
            attest(entry, Attestation(reader, now, pose))
            session.add(new_event(EventKind.ATTESTED, reader, now, entry.number, pose.key))

    def take_back(self, entry_id: str, reader: str) -> None:
        """Record that the word no longer counts; the film waits to be scored without it.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        AttestationError
            If there is no such word, or the film is not kept.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if attestation_of(entry) is None or entry.film_deleted_at is not None:
                raise AttestationError("There is nothing to take back on this film.")
            attest(entry, None)
            kind = EventKind.ATTESTATION_TAKEN_BACK
            session.add(new_event(kind, reader, now, entry.number))

    def standing(self) -> dict[str, Pose]:
        """Return how each film lies that is scored on a reader's word, by its SHA-256."""
        ever = select(EventRow.entry_number).where(EventRow.kind == EventKind.ATTESTED.value)
        statement = select(EntryRow).where(EntryRow.number.in_(ever))
        with self._database.reading() as session:
            found = ((row.sha256, attestation_of(row)) for row in session.scalars(statement))
            return {sha256: given.pose for sha256, given in found if given is not None}


def _refuse_what_cannot_be_scored(entry: EntryRow) -> None:
    if entry.film_deleted_at is not None:
        raise AttestationError("The film is no longer kept and cannot be scored.")
    if entry.state is None:
        raise AttestationError("The film is being scored. Try again in a moment.")
    if entry.state is ScoringState.FAILED or not entry.rows:
        raise AttestationError("The film cannot be shown, so nobody can say what it is.")
