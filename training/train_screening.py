"""Train the network that tells a frontal chest film from everything else.

    python -m training.train_screening --data DIR [--films DIR] --others DIR --out FILE

``--data`` holds the films that the pneumonia network learns from, ``--films`` further chest films
of any patients, ``--others`` pictures that are no chest film, one folder a kind. What is drawn
(`training.drawing.negatives`, `training.drawing.laterals`) is added. FILE is what
`training.embed_screening` puts into a checkpoint.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from cxr_app.errors import CxrError, TrainingDataError
from cxr_app.model import checkpoint
from cxr_app.model.networks.view import KINDS, ViewNetwork, ViewSpec
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.model.screening import ViewClass
from cxr_app.settings import Settings
from training.data.augmentation import Augmentation
from training.data.dataset import SUFFIXES, Films, LabelledFilm, decode, find_films, pixel_digests
from training.data.splits import Indices, split
from training.drawing import laterals, negatives, phantom_films
from training.view_network.view_report import choose_thresholds, measure_views

logger = logging.getLogger(__name__)

SIZE = 96
BATCH = 128
FILMS_OF_BATCH = 80
LEARNING_RATE = 4e-3
AS_THEY_LIE = (0.4, 0.2, 0.1, 0.1, 0.1, 0.1)
"""Share of each kind among the films of a batch: a film is turned before it is learned from."""
PHANTOMS, PIECES, DRAWINGS, SIDE_VIEWS, CROPS = 80, 1800, 2200, 1200, 6000
SPLIT_SEED = 0
"""That of the shipped recipe: what measures there, measures here."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Upright films by where they come from, and pictures that are no films by their kind."""

    films: dict[str, Films]
    others: dict[str, Films]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data or usage that cannot be used."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    cache = Settings.read().cache_dir
    try:
        train, tune, validation = read_parts(options, cache)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        train_view_network(train, tune, validation, options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train_screening",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--without", default="", help="a kind of --others to measure on only")
    parser.add_argument("--steps", type=int, default=1100, help="batches to learn from")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where the pictures are."""
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--films", type=Path, help="folder of folders of further chest films")
    parser.add_argument("--others", type=Path, help="folder of folders of other pictures")


def read_parts(
    options: argparse.Namespace, cache: Path
) -> tuple[PictureSet, PictureSet, PictureSet]:
    """Read everything and say who learns, who chooses thresholds and who measures."""
    labelled = find_films(options.data)
    children = decode(labelled, SIZE, cache)
    parts = split(labelled, pixel_digests(decode(labelled, 224, cache)), SPLIT_SEED)
    films = [{"children": children[part]} for part in (parts.train, parts.tune, parts.validation)]
    if options.films:
        for folder, squeezed in _folders(options.films, SIZE, cache):
            for place, part in enumerate(split_films(len(squeezed))):
                films[place][folder] = squeezed[part]
    others: list[dict[str, Films]] = [{}, {}, {}]
    if options.others:
        for folder, squeezed in _folders(options.others, negatives.SIDE, cache):
            learned, held_back = split_others(len(squeezed))
            if folder != options.without:
                others[0][folder] = squeezed[learned]
            others[2][folder] = squeezed[held_back]
    large = decode([labelled[index] for index in parts.train[::4]], negatives.SIDE, cache)
    return (
        PictureSet(films[0], _bank(large, others[0], options.seed)),
        PictureSet(films[1], {}),
        PictureSet(films[2], {name: _squeezed(some) for name, some in others[2].items()}),
    )


def _folders(root: Path, size: int, cache: Path) -> list[tuple[str, Films]]:
    """Read the pictures of each folder below `root`."""
    found = []
    for folder, paths in picture_folders(root):
        pictures = [LabelledFilm(path, "NORMAL", "", path.stem, "") for path in paths]
        if pictures:
            found.append((folder, decode(pictures, size, cache)))
    if not found:
        raise TrainingDataError(f"{root} has no folders with pictures in them.")
    return found


def picture_folders(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """Name each folder below `root`, with its pictures in the order that divides them."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        yield folder.name, sorted(paths)


def split_others(count: int) -> tuple[Indices, Indices]:
    """Divide pictures that are no films: two of three are learned from, one measures."""
    mixed = np.random.default_rng(SPLIT_SEED).permutation(count)
    return mixed[: count * 2 // 3], mixed[count * 2 // 3 :]


def split_films(count: int) -> list[Indices]:
    """Divide films whose patients nobody knows, eight to one to one, in blocks of neighbours."""
    block = np.arange(count) * 200 // max(count, 1) % 10
    return [np.flatnonzero(block < 8), np.flatnonzero(block == 8), np.flatnonzero(block == 9)]


def _bank(large: Films, others: dict[str, Films], seed: int) -> dict[str, Films]:
    """Make the pictures that are no films: crops of real ones, pieces of films, drawings."""
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
    return {name: _squeezed(pictures) for name, pictures in bank.items()}


def _squeezed(pictures: Iterable[negatives.Pixels]) -> Films:
    """Bring pictures to the network's size."""
    small = [resize_to_square(np.float32(1 / 255) * picture, SIZE) for picture in pictures]
    squeezed: Films = np.rint(np.stack(small) * 255).astype(np.uint8)
    return squeezed


def train_view_network(
    train: PictureSet, tune: PictureSet, validation: PictureSet, options: argparse.Namespace
) -> None:
    """Fit the network, choose its thresholds, measure, write."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    phantoms = [phantom_films.draw_phantom(rng, 256, 240) for _ in range(PHANTOMS)]
    drawn_films = np.stack([np.rint(resize_to_square(film, SIZE) * 255) for film in phantoms])
    films = [*train.films.values(), drawn_films.astype(np.uint8)]
    grey = np.concatenate([some[::20].ravel() for some in films]).astype(np.float32) / 255
    spec = ViewSpec(SIZE, float(grey.mean()), float(grey.std()), 0.0, 0.0)
    network = fit_network(films, list(train.others.values()), spec, options.steps, options.seed)
    weights = checkpoint.rounded(network)
    network.load_state_dict(weights)
    spec = choose_thresholds(network, spec, tune.films)
    metrics = measure_views(network, spec, validation.films, validation.others)
    counts = {name: len(some) for name, some in (train.films | train.others).items()}
    spec = replace(spec, metrics=metrics, data_summary=counts)
    checkpoint.save_screening(options.out, weights, spec)
    logger.info("%s", json.dumps(asdict(spec), indent=1))


def fit_network(
    films: Sequence[Films], others: Sequence[Films], spec: ViewSpec, steps: int, seed: int
) -> ViewNetwork:
    """Learn from batches of films, turned as they may come, and of other pictures."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    network = ViewNetwork().to(memory_format=torch.channels_last)
    optimizer = AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    scheduler = OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    augmentation = Augmentation(flip=0.0, translation=0.1, scale=0.2, noise=0.06)
    began = time.monotonic()
    for step in range(steps):
        pictures, targets = _batch(films, others, rng)
        varied = (augmentation(pictures, generator) - spec.mean) / spec.standard_deviation
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(varied.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits.float(), targets, label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
        if step % 50 == 49:
            logger.info("%d: loss %.3f, %.0f s", step + 1, loss, time.monotonic() - began)
    return network.eval()


def _batch(
    films: Sequence[Films], others: Sequence[Films], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw films of all sources alike, and other pictures of all kinds alike."""
    kinds = rng.choice(len(AS_THEY_LIE), size=FILMS_OF_BATCH, p=AS_THEY_LIE)
    chosen = [_drawn_from(films, rng) for _ in kinds]
    laid = [as_view(film, KINDS[kind], rng) for film, kind in zip(chosen, kinds, strict=True)]
    if others:
        laid += [_drawn_from(others, rng) for _ in range(BATCH - FILMS_OF_BATCH)]
    pictures = torch.from_numpy(np.stack(laid)).float()[:, None] / 255
    other = np.full(len(laid) - len(kinds), KINDS.index(ViewClass.OTHER))
    return pictures, torch.from_numpy(np.concatenate([kinds, other]))


def _drawn_from(sources: Sequence[Films], rng: np.random.Generator) -> negatives.Pixels:
    source = sources[int(rng.integers(len(sources)))]
    picture: negatives.Pixels = source[rng.integers(len(source))]
    return picture


def as_view(film: negatives.Pixels, kind: ViewClass, rng: np.random.Generator) -> negatives.Pixels:
    """Lay an upright film as another kind has it; one that is turned may be mirrored too."""
    quarters = {ViewClass.TURNED_LEFT: 1, ViewClass.UPSIDE_DOWN: 2, ViewClass.TURNED_RIGHT: 3}.get(
        kind, 0
    )
    mirrored = kind is ViewClass.MIRRORED or (kind is not ViewClass.UPRIGHT and rng.random() < 0.3)
    film = film[:, ::-1] if mirrored else film
    laid = np.rot90(255 - film if kind is ViewClass.NEGATIVE else film, k=quarters)
    bordered = _within_a_border(laid, rng) if rng.random() < 0.1 else laid
    return np.ascontiguousarray(bordered)


def _within_a_border(film: negatives.Pixels, rng: np.random.Generator) -> negatives.Pixels:
    """Put an even border round a film, as scanners and collimators do."""
    top, bottom, left, right = (int(part) for part in rng.uniform(0, 0.22, size=4) * len(film))
    grey = int(rng.choice([0, 0, 255, film[0, 0]]))
    padded = np.pad(film, ((top, bottom), (left, right)), constant_values=grey)
    small = resize_to_square(np.float32(1 / 255) * padded, len(film))
    return np.asarray(np.rint(small * 255), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
