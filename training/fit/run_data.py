"""The films of a run: found, decoded at every size that the recipe needs, and split."""

import csv
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_app.model.preprocessing import InputSpec
from training.data import extra_films
from training.data.dataset import Films, LabelledFilm, decode, find_films, pixel_digests
from training.data.extra_films import ExtraFilms
from training.data.splits import PARTS, Split, split
from training.fit.recipe import Recipe

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunData:
    """The labelled films of a run.

    Parameters
    ----------
    pixels
        The decoded films by size, for every size that the recipe needs.
    targets
        Indices in `networks.CLASSES`, shape ``(n,)``.
    source
        The folder or manifest that lists them.
    extra
        Films from elsewhere; None if there are none.
    """

    films: list[LabelledFilm]
    pixels: Mapping[int, Films]
    targets: NDArray[np.int64]
    split: Split
    source: Path
    extra: ExtraFilms | None = None


def load_run_data(recipe: Recipe, source: Path, extra: Path | None, cache: Path) -> RunData:
    """Find, decode and split the films.

    Parameters
    ----------
    source
        Folder or manifest of the labelled films.
    extra
        Folder of films from elsewhere; None for none.
    cache
        Folder for decoded films.

    Raises
    ------
    TrainingDataError
        If the films cannot be used; the message names the first that cannot.
    """
    films = find_films(source)
    sizes = sorted({stage.size for stage in recipe.stages})
    pixels = {size: decode(films, size, cache) for size in sizes}
    digests = pixel_digests(pixels[recipe.size])
    parts = split(films, digests, recipe.seed)
    further = None
    if extra:
        further = extra_films.load(extra, sizes, cache)
        measured = np.delete(digests, parts.train)
        extra_films.check_disjoint(further.pixels[recipe.size], measured.tolist())
    logger.info(
        "%d films: %d train, %d tune, %d validation",
        len(films), len(parts.train), len(parts.tune), len(parts.validation),
    )  # fmt: skip
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return RunData(films, pixels, targets, parts, source, further)


def measured_input(data: RunData, recipe: Recipe) -> InputSpec:
    """Return the input of the network, with the mean and deviation of the train films."""
    smallest = data.pixels[min(data.pixels)]
    grey = smallest[data.split.train].astype(np.float32) / 255
    return InputSpec(recipe.size, mean=float(grey.mean()), standard_deviation=float(grey.std()))


def write_split(path: Path, data: RunData) -> None:
    """Write which part each film is in."""
    part_of = {int(index): name for name in PARTS for index in getattr(data.split, name)}
    root = data.source
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "target", "cause", "patient_id", "partition"))
        for index, film in enumerate(data.films):
            name = film.path.relative_to(root) if root.is_dir() else film.path
            row = (name, film.target, film.cause, film.patient_id, part_of.get(index, "unused"))
            writer.writerow(row)
