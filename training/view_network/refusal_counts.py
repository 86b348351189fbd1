"""Counts of the pictures that the app refuses, by kind, with intervals."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from cxr_app.errors import TrainingDataError
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model import screening
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.scoring import Scorer
from training.data.dataset import Films, find_films
from training.data.splits import Indices, own_split
from training.measure.predictions import in_batches
from training.view_network.sources import (
    SourceOptions,
    picture_folders,
    split_films,
    split_others,
)
from training.view_network.view_report import MIRRORED, WRONG_VIEWS, share_with_interval

Pictures = dict[str, list[Path]]
"""Pictures by kind."""


class RejectionOptions(SourceOptions):
    """Options of `training.rejections`, whose help describes them."""

    most: int
    checkpoint: Path | None


def choose_pictures(
    options: RejectionOptions, scorer: Scorer, cache: Path
) -> tuple[Pictures, Pictures]:
    """Choose chest films and other pictures that were not used for training or any choice."""
    labelled = find_films(options.data)
    parts = own_split(labelled, scorer.classifier.description, cache)
    if parts is None:
        raise TrainingDataError(
            f"{options.data} does not hold the films that the checkpoint was trained from, so "
            "it is unknown which of them it was not trained on. Use that folder."
        )
    held_out = [labelled[index].path for index in parts.validation]
    films = {options.data.name: _sample(held_out, options.most)}
    if options.films:
        films |= _folders(options.films, options.most, lambda count: split_films(count)[2])
    others = {}
    if options.others:
        others = _folders(options.others, options.most, lambda count: split_others(count)[1])
    return films, others


def _folders(root: Path, most: int, held_out: Callable[[int], Indices]) -> Pictures:
    """List up to `most` of the held-out pictures of each folder in `root`."""
    return {
        folder: _sample([paths[index] for index in held_out(len(paths))], most)
        for folder, paths in picture_folders(root)
    }


def _sample(paths: Sequence[Path], most: int) -> list[Path]:
    """Choose at most `most` of the paths, evenly spread."""
    return list(paths[:: -(-len(paths) // most)]) if paths else []


def refusal_rows(scorer: Scorer, films: Pictures, others: Pictures) -> Iterator[tuple[str, ...]]:
    """Send pictures through the app, and yield for each kind how many are refused or noticed."""
    for name, paths in films.items():
        yield _row(name, _outcomes(scorer, (path.read_bytes() for path in paths)))
        for view, change in WRONG_VIEWS.items():
            files = (_as_png(change(_grey(path))) for path in paths)
            noticed = _is_remarked if view == MIRRORED else _is_refused
            yield _row(f"{name}, {view}", _outcomes(scorer, files), noticed)
    for name, paths in others.items():
        yield _row(name, _outcomes(scorer, (path.read_bytes() for path in paths)))
        files = (_as_png(_grey(path)) for path in paths)
        yield _row(f"{name}, in grey", _outcomes(scorer, files))


def _outcomes(scorer: Scorer, files: Iterable[bytes]) -> list[Outcome]:
    batches = in_batches(map(scorer.examine, files))
    return [outcome for batch in batches for outcome in scorer.score_all(batch)]


def _grey(path: Path) -> Films:
    """Read a picture as 8-bit grey values."""
    return np.rint(255 * read_radiograph(path.read_bytes()).image).astype(np.uint8)


def _as_png(film: Films) -> bytes:
    file = BytesIO()
    PillowImage.fromarray(film).save(file, "PNG")
    return file.getvalue()


def _is_refused(outcome: Outcome) -> bool:
    return outcome.state is not ScoringState.SCORED


def _is_remarked(outcome: Outcome) -> bool:
    return screening.MIRRORED in outcome.remarks


def _row(
    name: str, outcomes: list[Outcome], noticed: Callable[[Outcome], bool] = _is_refused
) -> tuple[str, ...]:
    """Return number, share and interval of the noticed pictures, and the most common reason."""
    found = [outcome for outcome in outcomes if noticed(outcome)]
    if not outcomes:
        return name, "0", "", "", ""
    counted = share_with_interval(np.array([noticed(outcome) for outcome in outcomes]))
    low, high = counted["ci95"]
    reasons = Counter(outcome.reason or outcome.remarks[0] for outcome in found).most_common(1)
    reason = f"{reasons[0][0]} ({reasons[0][1]})" if reasons else ""
    return name, str(counted["n"]), f"{counted['share']:.3f}", f"{low:.3f} to {high:.3f}", reason
