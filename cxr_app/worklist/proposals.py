"""Models that a person has proposed, for another person to promote: rows are only added."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.column_types import AnyText, Moment, RowNumber
from cxr_app.worklist.tables import Table
from cxr_app.worklist.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Proposal:
    """One person's word that a model should be promoted.

    Parameters
    ----------
    proposed_at
        Aware, UTC.
    proposed_by
        Name as signed in.
    sha256
        Of the checkpoint's file.
    """

    proposed_at: datetime
    proposed_by: str
    sha256: str


class ProposalRow(Table):
    """A proposal; never changed."""

    __tablename__ = "worklist_proposal"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    proposed_by: Mapped[str] = mapped_column(AnyText)
    sha256: Mapped[str] = mapped_column(String(64))


class ProposalLog(Transactions):
    """The proposals. Each method is one transaction."""

    def propose(self, sha256: str, by: str) -> Proposal:
        """Record that a person proposes a model."""
        made = Proposal(self._clock(), by, sha256)
        with self._database.writing() as session:
            session.add(
                ProposalRow(proposed_at=made.proposed_at, proposed_by=by, sha256=made.sha256)
            )
        return made

    def of_model(self, sha256: str) -> list[Proposal]:
        """Return the proposals of a model, oldest first."""
        statement = select(ProposalRow).where(ProposalRow.sha256 == sha256)
        with self._database.reading() as session:
            return [
                Proposal(row.proposed_at, row.proposed_by, row.sha256)
                for row in session.scalars(statement.order_by(ProposalRow.number))
            ]
