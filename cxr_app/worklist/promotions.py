"""Which model was put to use when, and by whom: rows are only added.

Each method is one transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cxr_app.errors import PromotionError
from cxr_app.worklist.tables import PromotionRow
from cxr_app.worklist.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the model in use; the newest is valid.

    Parameters
    ----------
    number
        Ascending.
    promoted_at
        Aware, UTC.
    promoted_by
        Name of the reader, as known to the page.
    sha256
        Of the checkpoint's file; empty for the one that the settings name.
    model_version
        Version of the model that was put to use; empty if an earlier version of the program put
        back the one that the settings name.
    replaced_version
        Version of the model that was in use before.
    job_id
        The retraining that made and compared it; empty if an earlier model was put back.
    """

    number: int
    promoted_at: datetime
    promoted_by: str
    sha256: str
    model_version: str
    replaced_version: str
    job_id: str


class PromotionLog(Transactions):
    """The models that were put to use."""

    def put_to_use(
        self,
        sha256: str,
        model_version: str,
        *,
        by: str,
        instead_of: Promotion | None,
        replaced_version: str,
        job_id: str = "",
    ) -> Promotion:
        """Record a model as in use, unless the model in use was changed since.

        Parameters
        ----------
        sha256
            Of the checkpoint's file; empty for the one that the settings name.
        instead_of
            The newest change that the reader has seen.

        Raises
        ------
        PromotionError
            If there is a newer one.
        """
        values = {
            "promoted_at": self._clock(),
            "promoted_by": by,
            "sha256": sha256 or None,
            "model_version": model_version,
            "replaced_version": replaced_version,
            "replaces": instead_of.number if instead_of else 0,
            "job_id": job_id or None,
        }
        # The column is unique: of two that replace the same change, the first one wins.
        insert = self._database.insert(PromotionRow).values(values)
        insert = insert.on_conflict_do_nothing(index_elements=["replaces"])
        with self._database.writing() as session:
            number = session.scalar(insert.returning(PromotionRow.number))
            if number is None:
                raise PromotionError(
                    "The model in use has just been changed. Look at it, then decide again."
                )
            return _as_promotion(session.get_one(PromotionRow, number))

    def newest(self) -> Promotion | None:
        """Return the newest change; None if there was none."""
        found = self.history(limit=1)
        return found[0] if found else None

    def history(self, limit: int | None = 50) -> list[Promotion]:
        """Return the changes, newest first; all of them without a limit."""
        statement = select(PromotionRow).order_by(PromotionRow.number.desc()).limit(limit)
        with self._database.reading() as session:
            return [_as_promotion(row) for row in session.scalars(statement)]


def _as_promotion(row: PromotionRow) -> Promotion:
    return Promotion(
        number=row.number,
        promoted_at=row.promoted_at,
        promoted_by=row.promoted_by or "",
        sha256=row.sha256 or "",
        model_version=row.model_version or "",
        replaced_version=row.replaced_version or "",
        job_id=row.job_id or "",
    )
