"""The table of results that were made on a reader's word."""

from sqlalchemy import CheckConstraint, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cxr_app.worklist.tables import ScoringResult, Table


class AttestedScoreRow(ScoringResult, Table):
    """One result of a film scored on a reader's word; a model may give one for each pose."""

    __tablename__ = "worklist_attested_score"

    quarter_turns: Mapped[int] = mapped_column(SmallInteger)
    mirrored: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("entry_number", "model_version", "quarter_turns", "mirrored"),
        CheckConstraint("(state = 'SCORED') = (model_version IS NOT NULL)", "model_version"),
        CheckConstraint("(state = 'SCORED') = (reason IS NULL)", "reason"),
    )
