"""What a checkpoint has learned from, as far as it is known.

A checkpoint that `training.retrain` made has its films written down beside it. Of any other its
split is made again from films that turn out to be its own.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from cxr_app.errors import TrainingDataError
from cxr_app.model.checkpoint import Checkpoint
from training.data.dataset import LabelledFilm
from training.data.holdout import FilmHistory, HoldoutFilm, Side
from training.data.splits import own_split
from training.data.tested_films import UsedFilms

logger = logging.getLogger(__name__)


def films_path(checkpoint: Path) -> Path:
    """Where the films of a checkpoint are written down."""
    return checkpoint.with_suffix(".films.json")


def record_films(
    checkpoint: Path, candidates: Sequence[HoldoutFilm], sides: Sequence[Side]
) -> None:
    """Write down what a checkpoint has learned from and what was kept back from it."""
    films = {
        side.value: sorted(
            one.sha256 for one, its in zip(candidates, sides, strict=True) if its is side
        )
        for side in (Side.LEARN, Side.COMPARE)
    }
    films_path(checkpoint).write_text(json.dumps(films), encoding="utf-8")


def history_of(
    source: Checkpoint,
    path: Path,
    sources: Sequence[Sequence[LabelledFilm]],
    sha256s: Sequence[str],
    data_dir: Path,
) -> FilmHistory:
    """Find out what is known of films that somebody chose to retrain on.

    Parameters
    ----------
    source, path
        The model in use and its file.
    sources
        The films, by where they come from.
    sha256s
        Of all their files, in the same order.
    data_dir
        As `CXR_DATA_DIR`.
    """
    learned, unseen = _written_down(path) or _found_again(source, sources, sha256s, data_dir)
    tested = UsedFilms(data_dir)
    return FilmHistory(tested.films("test"), tested.films("compared"), learned, unseen)


def _written_down(path: Path) -> tuple[set[str], set[str]] | None:
    try:
        films = json.loads(films_path(path).read_text(encoding="utf-8"))
        return set(films[Side.LEARN.value]), set(films[Side.COMPARE.value])
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _found_again(
    source: Checkpoint,
    sources: Sequence[Sequence[LabelledFilm]],
    sha256s: Sequence[str],
    data_dir: Path,
) -> tuple[set[str], set[str]]:
    """Look for the source that the model was trained from, and make its split again."""
    start = 0
    for films in sources:
        own = sha256s[start : start + len(films)]
        start += len(films)
        try:
            parts = own_split(films, source.description, data_dir / "cache")
        except TrainingDataError:  # told by whoever trains on it
            logger.info("A source that cannot be used is not what the model in use learned from.")
            continue
        if parts is not None:
            learned = [*parts.train, *parts.tune]
            return {own[index] for index in learned}, {own[index] for index in parts.validation}
    return set(), set()
