"""Reading and scoring of the files of a backlog, as every engine does it."""

import hashlib
from collections.abc import Sequence

from cxr_app.errors import CheckpointMismatchError, FilmError, ShortageError
from cxr_app.examined import Examined, unreadable
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.model.classifier_choice import load_classifier
from cxr_app.scoring import Scorer, examine
from training.backlog.engines.contract import (
    RETRY,
    AlreadyScored,
    BacklogPlan,
    FoundFile,
    Result,
    ScoredFile,
)
from training.backlog.engines.file_content import content

SHORTAGE = (
    "This computer ran short of memory or other resources while reading the film, which itself may "
    "be sound. Run the same command again, with fewer --workers if that does not help."
)


def load_scorer(plan: BacklogPlan, threads: int | None = None) -> Scorer:
    """Load the network of a plan.

    Parameters
    ----------
    threads
        As `load_classifier` takes it.

    Raises
    ------
    CheckpointMismatchError
        If the weights were replaced since the run began.
    """
    classifier = load_classifier(
        plan.checkpoint, plan.device, plan.runtime, plan.prevalence, threads
    )
    scorer = Scorer(classifier, plan.other_ages)
    if scorer.classifier.model_version != plan.model_version:
        raise CheckpointMismatchError(
            f"{plan.checkpoint} is now {scorer.classifier.model_version}; the run began with "
            f"{plan.model_version}. Put it back, or start again with another --out."
        )
    return scorer


def read_file(found: FoundFile, plan: BacklogPlan) -> Examined | AlreadyScored:
    """Read and prepare one file.

    A file that has vanished, or that this computer lacks the memory for, counts as unreadable: its
    row has no SHA-256, so that the next run tries it again.
    """
    try:
        return _read_file(found, plan)
    except (ShortageError, MemoryError):
        return unreadable(SHORTAGE)


def _read_file(found: FoundFile, plan: BacklogPlan) -> Examined | AlreadyScored:
    try:
        data = content(found)
    except OSError as error:
        return unreadable(f"The file cannot be read: {error.strerror}. {RETRY}")
    except FilmError as error:  # of the archive that it was in
        return unreadable(str(error))
    if isinstance(data, int):
        return unreadable(
            f"The file has {data // 2**20} MB, more than the {MAX_FILE_BYTES // 2**20} MB "
            "allowed: export the single film."
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in plan.known:
        return AlreadyScored(found, sha256)
    return examine(data, plan.input_spec, sha256, plan.attested.get(sha256))


def score_examined(
    scorer: Scorer, found: Sequence[FoundFile], films: Sequence[Examined | AlreadyScored]
) -> list[Result]:
    """Score files that have been read, in one forward pass."""
    outcomes = iter(scorer.score_all([film for film in films if isinstance(film, Examined)]))
    return [
        film if isinstance(film, AlreadyScored) else ScoredFile(file, next(outcomes))
        for file, film in zip(found, films, strict=True)
    ]


def score_files(scorer: Scorer, plan: BacklogPlan, found: Sequence[FoundFile]) -> list[Result]:
    """Read files one after the other and score them in one forward pass."""
    return score_examined(scorer, found, [read_file(each, plan) for each in found])
