"""Outcome of scoring one film: scored, rejected or failed, and its priority for reading."""

from dataclasses import dataclass
from enum import Enum

from cxr_app.pose import Pose
from cxr_app.prediction import OperatingPoint, Prediction
from cxr_app.radiograph import Header


class ScoringState(Enum):
    """How scoring a film ended: the `state` column of ``results.csv``."""

    SCORED = "SCORED"
    """The film has a probability."""
    REJECTED = "REJECTED"
    """Readable, but outside the scope of the model: a person must read the film."""
    FAILED = "FAILED"
    """Unreadable: a person must look at the file."""


class Priority(Enum):
    """Scheduled Procedure Step Priority, (0074,1200).

    References
    ----------
    DICOM PS3.3 C.30.2.
    """

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that scoring found for one file.

    Parameters
    ----------
    sha256
        Of the file as received, 64 hexadecimal digits: the film's identity.
    state
        SCORED has a prediction and its operating point; REJECTED and FAILED have neither.
    priority
        The tier in the worklist.
    reason
        Why it was rejected or failed, in one sentence without patient data; empty if SCORED.
    file_format
        ``DICOM``, ``JPEG`` or ``PNG``; empty if the content is none of them.
    rows, columns
        Size of the film in pixels; 0 if it could not be read.
    may_be_chest
        False for a file that is plainly no chest film: of another kind or part of the body by its
        header, or of no known format. True in doubt.
    pose
        How the film lay when it was scored on a person's word that it is a frontal chest film; None
        if nobody gave it.

    Raises
    ------
    ValueError
        If state and prediction contradict each other, or a film that is not SCORED has no reason.
    """

    sha256: str
    state: ScoringState
    priority: Priority
    reason: str = ""
    prediction: Prediction | None = None
    operating_point: OperatingPoint | None = None
    header: Header | None = None
    file_format: str = ""
    rows: int = 0
    columns: int = 0
    remarks: tuple[str, ...] = ()
    may_be_chest: bool = True
    pose: Pose | None = None

    def __post_init__(self) -> None:
        scored = self.state is ScoringState.SCORED
        if scored != (self.prediction is not None) or scored != (self.operating_point is not None):
            raise ValueError("a film has a prediction and an operating point exactly when SCORED")
        if scored == bool(self.reason):
            raise ValueError("a film has a reason exactly when it is not SCORED")

    @property
    def flagged(self) -> bool | None:
        """Whether the probability reaches the operating point; None without a prediction."""
        if self.prediction is None or self.operating_point is None:
            return None
        return self.prediction.is_flagged(self.operating_point)
