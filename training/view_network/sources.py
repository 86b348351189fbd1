"""Pictures for the view network: chest films, other pictures, and how both are divided."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_app.errors import TrainingDataError
from cxr_app.model.preprocessing import resize_to_square
from training.data.dataset import SUFFIXES, Films, LabelledFilm, decode, find_films, pixel_digests
from training.data.splits import Indices, split
from training.drawing import laterals, negatives

SIZE = 96
"""Side of the view network's input, in pixels."""
PIECES, DRAWINGS, SIDE_VIEWS, CROPS = 1800, 2200, 1200, 6000
SPLIT_SEED = 0
"""Seed of the shipped recipe, so that its validation films are also used here for validation."""


class SourceOptions(argparse.Namespace):
    """Options with the folders of the pictures."""

    data: Path
    films: Path | None
    others: Path | None


class TrainViewOptions(SourceOptions):
    """Options of `training.train_screening`, whose help describes them."""

    out: Path
    without: str
    steps: int
    seed: int


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Upright chest films by source, and other pictures by kind."""

    films: dict[str, Films]
    others: dict[str, Films]


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options with the folders of the pictures."""
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--films", type=Path, help="folder of folders of further chest films")
    parser.add_argument("--others", type=Path, help="folder of folders of other pictures")


def read_picture_sets(
    options: TrainViewOptions, cache: Path
) -> tuple[PictureSet, PictureSet, PictureSet]:
    """Read all pictures: those for training, for choosing thresholds and for validation."""
    labelled = find_films(options.data)
    children = decode(labelled, SIZE, cache)
    parts = split(labelled, pixel_digests(decode(labelled, 224, cache)), SPLIT_SEED)
    films = [{"children": children[part]} for part in (parts.train, parts.tune, parts.validation)]
    if options.films:
        for folder, resized in _folders(options.films, SIZE, cache):
            for place, part in enumerate(split_films(len(resized))):
                films[place][folder] = resized[part]
    others: list[dict[str, Films]] = [{}, {}, {}]
    if options.others:
        for folder, resized in _folders(options.others, negatives.SIDE, cache):
            learned, held_back = split_others(len(resized))
            if folder != options.without:
                others[0][folder] = resized[learned]
            others[2][folder] = resized[held_back]
    large = decode([labelled[index] for index in parts.train[::4]], negatives.SIDE, cache)
    return (
        PictureSet(films[0], _bank(large, others[0], options.seed)),
        PictureSet(films[1], {}),
        PictureSet(films[2], {name: _resized(some) for name, some in others[2].items()}),
    )


def _folders(root: Path, size: int, cache: Path) -> list[tuple[str, Films]]:
    """Read the pictures of each folder in `root`."""
    if not root.is_dir():
        raise TrainingDataError(f"{root} is not a folder. Give a folder of folders with pictures.")
    found = []
    for folder, paths in picture_folders(root):
        pictures = [LabelledFilm(path, "NORMAL", "", path.stem, "") for path in paths]
        if pictures:
            found.append((folder, decode(pictures, size, cache)))
    if not found:
        raise TrainingDataError(f"{root} has no folders with pictures in them.")
    return found


def picture_folders(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield each folder in `root` with its pictures, sorted as they are divided."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        yield folder.name, sorted(paths)


def split_others(count: int) -> tuple[Indices, Indices]:
    """Divide pictures that are not films: two thirds for training, one third for validation."""
    mixed = np.random.default_rng(SPLIT_SEED).permutation(count)
    return mixed[: count * 2 // 3], mixed[count * 2 // 3 :]


def split_films(count: int) -> list[Indices]:
    """Divide films of unknown patients, 8 : 1 : 1, in blocks of neighbouring films."""
    block = np.arange(count) * 200 // max(count, 1) % 10
    return [np.flatnonzero(block < 8), np.flatnonzero(block == 8), np.flatnonzero(block == 9)]


def _bank(large: Films, others: dict[str, Films], seed: int) -> dict[str, Films]:
    """Build the pictures that are not films: crops of real ones, pieces of films, drawings."""
    rng = np.random.default_rng(seed)
    bank = {
        "drawings": [negatives.draw_picture(rng) for _ in range(DRAWINGS)],
        "pieces": [negatives.cut_picture(large, rng) for _ in range(PIECES)],
        "side views": [laterals.draw_lateral(rng, negatives.SIDE) for _ in range(SIDE_VIEWS)],
    }
    for name, pictures in others.items():
        if len(pictures):
            whole = list(pictures) * max(1, CROPS // 6 // len(pictures))
            crops = [negatives.crop(pictures[i % len(pictures)], rng) for i in range(CROPS // 3)]
            bank[name] = whole + crops
    return {name: _resized(pictures) for name, pictures in bank.items()}


def _resized(pictures: Iterable[negatives.Pixels]) -> Films:
    """Resize pictures to the network's size."""
    small = [resize_to_square(np.float32(1 / 255) * picture, SIZE) for picture in pictures]
    resized: Films = np.rint(np.stack(small) * 255).astype(np.uint8)
    return resized
