"""The films that a checkpoint was trained on, as far as they are known.

A checkpoint of `training.retrain` has a file with its films beside it. For any other checkpoint the
split is repeated if its training films are among those given.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from cxr_app.errors import TrainingDataError
from cxr_app.model.checkpoint import Checkpoint
from training.data.dataset import LabelledFilm
from training.data.holdout import FilmHistory, HoldoutFilm, Side
from training.data.splits import own_split
from training.data.tested_films import UsedFilms

logger = logging.getLogger(__name__)


class _TrainingFilms(BaseModel):
    """SHA-256 of the films that a checkpoint was trained on, and of those held out."""

    learn: list[str]
    compare: list[str]


def films_path(checkpoint: Path) -> Path:
    """Return the path of the file with the films of a checkpoint."""
    return checkpoint.with_suffix(".films.json")


def record_films(checkpoint: Path, films: Sequence[HoldoutFilm], sides: Sequence[Side]) -> None:
    """Record which films a checkpoint was trained on and which were held out."""
    hashes = {
        side.value: sorted(one.sha256 for one, its in zip(films, sides, strict=True) if its is side)
        for side in (Side.LEARN, Side.COMPARE)
    }
    document = _TrainingFilms(**hashes).model_dump_json()
    films_path(checkpoint).write_text(document, encoding="utf-8")


def history_of(
    source: Checkpoint,
    path: Path,
    sources: Sequence[Sequence[LabelledFilm]],
    sha256s: Sequence[str],
    data_dir: Path,
) -> FilmHistory:
    """Return what is known of the films that were chosen for a retraining.

    Parameters
    ----------
    source, path
        The model in use and its file.
    sources
        The films, by source.
    sha256s
        SHA-256 of all their files, in the same order.
    data_dir
        As `CXR_DATA_DIR`.
    """
    learned, unseen = _recorded(path) or _split_again(source, sources, sha256s, data_dir)
    tested = UsedFilms(data_dir)
    return FilmHistory(tested.films("test"), tested.films("compared"), learned, unseen)


def _recorded(path: Path) -> tuple[set[str], set[str]] | None:
    try:
        text = films_path(path).read_text(encoding="utf-8")
        films = _TrainingFilms.model_validate_json(text)
    except (OSError, ValueError):
        return None
    return set(films.learn), set(films.compare)


def _split_again(
    source: Checkpoint,
    sources: Sequence[Sequence[LabelledFilm]],
    sha256s: Sequence[str],
    data_dir: Path,
) -> tuple[set[str], set[str]]:
    """Repeat the split of the source that the model was trained on, if it is among these."""
    start = 0
    for films in sources:
        own = sha256s[start : start + len(films)]
        start += len(films)
        try:
            parts = own_split(films, source.description, data_dir / "cache")
        except TrainingDataError:  # the training itself reports it
            logger.info("The model in use was not trained on a source that cannot be used.")
            continue
        if parts is not None:
            learned = [*parts.train, *parts.tune]
            return {own[index] for index in learned}, {own[index] for index in parts.validation}
    return set(), set()
