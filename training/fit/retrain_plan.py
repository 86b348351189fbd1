"""Choosing the films of a retraining, once: which are trained on, which are held out."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import SettingsError, TrainingDataError
from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.film_store import make_private_folder
from cxr_app.jobs.retraining import CHECKPOINT, PLAN
from cxr_app.model import checkpoint
from cxr_app.operations.opening import open_worklist
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from training.data.dataset import LabelledFilm, decode, find_films, find_reviewed, pixel_digests
from training.data.holdout import (
    Side,
    divide,
    read_candidates,
    read_side,
    without_copies,
    write_films,
)
from training.data.splits import check_classes, group_by_patient
from training.fit.recipe import Recipe
from training.measure.lineage import history_of, record_films

FILMS = "films.csv"
RUN = "run"


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """What a retraining was asked to do.

    Parameters
    ----------
    out
        Folder of the retraining.
    data
        Folders and manifests of labelled films.
    reviewed
        Manifest of reviews; None for none.
    checkpoint
        The model to compare with; None for the one in use.
    within
        Folders that all films must be in; empty for no restriction.
    """

    out: Path
    data: tuple[Path, ...]
    reviewed: Path | None
    checkpoint: Path | None
    within: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """What a retraining was begun with; it resumes with nothing else.

    Parameters
    ----------
    data, reviewed
        The chosen films.
    checkpoint, sha256
        The model that was in use when it began.
    counts
        Number of films by use.
    unknown
        Number of held-out films that the model in use may have been trained on.
    """

    data: tuple[str, ...]
    reviewed: str
    checkpoint: str
    sha256: str
    counts: Mapping[str, int]
    unknown: int


def plan_of(
    request: RetrainRequest,
    settings: Settings,
    recipe: Recipe,
    on_read: Callable[[int, int], None] = lambda *_: None,
) -> RetrainPlan:
    """Read the plan that the retraining was begun with, or make one.

    Parameters
    ----------
    on_read
        Called with the number of films read so far, and of all.

    Raises
    ------
    SettingsError
        If the folder holds a retraining on other films, or its plan cannot be read.
    TrainingDataError
        If the films cannot be used.
    """
    path = request.out / PLAN
    data = tuple(str(each.resolve()) for each in request.data)
    reviewed = str(request.reviewed.resolve()) if request.reviewed else ""
    if path.exists():
        begun = _read(path)
        if (begun.data, begun.reviewed) != (data, reviewed):
            raise SettingsError(f"{request.out} holds a run on other films. Give another --out.")
        return begun
    in_use = request.checkpoint or _in_use(settings)
    counts, unknown, sha256 = _choose(request, settings, recipe, in_use, on_read)
    plan = RetrainPlan(data, reviewed, str(in_use.resolve()), sha256, counts, unknown)
    atomic_write(path, json.dumps(asdict(plan), indent=1))
    return plan


def _read(path: Path) -> RetrainPlan:
    """Read the plan of a resumed retraining."""
    try:
        return TypeAdapter(RetrainPlan).validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise SettingsError(
            f"{path} cannot be used; wrong or missing: {wrong or 'not JSON'}. Give another --out."
        ) from error


def _in_use(settings: Settings) -> Path:
    """Return the checkpoint that the worklist names as the one in use."""
    with closing(open_worklist(settings)) as worklist:
        return checkpoint_in_use(settings, worklist)


def _choose(
    request: RetrainRequest,
    settings: Settings,
    recipe: Recipe,
    in_use: Path,
    on_read: Callable[[int, int], None],
) -> tuple[dict[str, int], int, str]:
    """Find the films, refuse unusable ones, and write the side of each."""
    source = checkpoint.load(in_use)
    sources = [_inside(find_films(data), request.within) for data in request.data]
    reviewed, without_cause = find_reviewed(request.reviewed) if request.reviewed else ([], 0)
    sources.append(reviewed)
    every = read_candidates(sources)
    _check_enough([one.film for one in every])
    history = history_of(source, in_use, sources, [one.sha256 for one in every], settings.data_dir)
    candidates, left_out = without_copies(every)
    # Before a film is decoded, which takes minutes: copies with other bytes are found only then.
    at_first = divide(candidates, [one.sha256 for one in candidates], history)
    write_films(request.out / FILMS, candidates, at_first)
    _check_comparison([one.film for one in read_side(request.out / FILMS, Side.COMPARE)])
    films = [one.film for one in candidates]
    pixels = decode(films, recipe.size, settings.cache_dir, on_read)
    sides = divide(candidates, pixel_digests(pixels), history)
    write_films(request.out / FILMS, candidates, sides)
    held_out = read_side(request.out / FILMS, Side.COMPARE)
    _check_comparison([one.film for one in held_out])
    make_private_folder(request.out / RUN)
    record_films(request.out / RUN / CHECKPOINT, candidates, sides)
    counts = Counter(side.value for side in sides)
    unknown = sum(one.sha256 not in history.unseen for one in held_out)
    return {**counts, **left_out, "without_cause": without_cause}, unknown, source.sha256


def _inside(films: list[LabelledFilm], roots: Sequence[Path]) -> list[LabelledFilm]:
    """Refuse films outside the allowed folders, such as those behind a link or in a manifest."""
    resolved = [root.resolve() for root in roots]
    for film in films:
        path = film.path.resolve()
        if resolved and not any(path.is_relative_to(root) for root in resolved):
            raise TrainingDataError(
                f"{film.path} lies outside the folders that may be trained on. Put it there."
            )
    return films


def _check_enough(films: Sequence[LabelledFilm]) -> None:
    """Refuse too few films before all of them are decoded."""
    used = [film for film in films if film.partition != "test"]
    classes = np.array([film.class_index for film in used], dtype=np.int64)
    groups = group_by_patient(used, [str(number) for number in range(len(used))])
    check_classes(classes, np.array(groups))


def _check_comparison(held_out: Sequence[LabelledFilm]) -> None:
    """Refuse a retraining whose models could not be compared at its end."""
    counts = Counter(film.target for film in held_out)
    for target, words in (("NORMAL", "without pneumonia"), ("PNEUMONIA", "with pneumonia")):
        if counts[target] < FEWEST:
            raise TrainingDataError(
                f"Only {counts[target]} films {words} can be kept back to compare the models on; "
                f"at least {FEWEST} are needed, and at most two patients in five are kept back. "
                "Choose more films."
            )
