"""Which model was put to use when, and by whom: a plain value, no database."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the model in use; the newest stands.

    Parameters
    ----------
    number
        Counts up.
    promoted_at
        Aware, UTC.
    promoted_by
        Whoever sat there.
    sha256
        Of the checkpoint's file; empty for the one that the settings name.
    model_version
        Of the model that was put to use.
    replaced_version
        Of the model that was in use before.
    job_id
        The retraining that made and compared it; empty for a way back.
    """

    number: int
    promoted_at: datetime
    promoted_by: str
    sha256: str
    model_version: str
    replaced_version: str
    job_id: str
