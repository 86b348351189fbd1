"""Training of the view network, which recognises frontal chest films, and of its thresholds."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from cxr_app.model import checkpoint
from cxr_app.model.networks.view import ViewNetwork
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.model.screening import ViewClass
from cxr_app.model.view_spec import VIEWS, ViewSpec
from training.data.augmentation import Augmentation
from training.data.dataset import Films
from training.drawing import negatives, phantom_films
from training.view_network.sources import SIZE, PictureSet, TrainViewOptions
from training.view_network.view_report import choose_thresholds, measure_views

logger = logging.getLogger(__name__)

BATCH = 128
FILMS_OF_BATCH = 80
LEARNING_RATE = 4e-3
VIEW_SHARES = (0.4, 0.2, 0.1, 0.1, 0.1, 0.1)
"""Share of each of the views in `VIEWS` among the films of a batch, which are turned to match."""
PHANTOMS = 80


def train_view_network(
    train: PictureSet, tune: PictureSet, validation: PictureSet, options: TrainViewOptions
) -> None:
    """Fit the network, choose its thresholds, measure it and write it to `options.out`."""
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
    """Fit a network to batches of films, turned as they may arrive, and of other pictures."""
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
    """Draw a batch: films equally from all sources, other pictures equally from all kinds."""
    kinds = rng.choice(len(VIEW_SHARES), size=FILMS_OF_BATCH, p=VIEW_SHARES)
    chosen = [_draw_from(films, rng) for _ in kinds]
    laid = [as_view(film, VIEWS[kind], rng) for film, kind in zip(chosen, kinds, strict=True)]
    if others:
        laid += [_draw_from(others, rng) for _ in range(BATCH - FILMS_OF_BATCH)]
    pictures = torch.from_numpy(np.stack(laid)).float()[:, None] / 255
    other = np.full(len(laid) - len(kinds), VIEWS.index(ViewClass.OTHER))
    return pictures, torch.from_numpy(np.concatenate([kinds, other]))


def _draw_from(sources: Sequence[Films], rng: np.random.Generator) -> negatives.Pixels:
    source = sources[int(rng.integers(len(sources)))]
    picture: negatives.Pixels = source[rng.integers(len(source))]
    return picture


def as_view(film: negatives.Pixels, kind: ViewClass, rng: np.random.Generator) -> negatives.Pixels:
    """Turn an upright film into another view; one that is rotated may be mirrored too."""
    quarters = {ViewClass.TURNED_LEFT: 1, ViewClass.UPSIDE_DOWN: 2, ViewClass.TURNED_RIGHT: 3}.get(
        kind, 0
    )
    mirrored = kind is ViewClass.MIRRORED or (kind is not ViewClass.UPRIGHT and rng.random() < 0.3)
    film = film[:, ::-1] if mirrored else film
    laid = np.rot90(255 - film if kind is ViewClass.NEGATIVE else film, k=quarters)
    bordered = _with_border(laid, rng) if rng.random() < 0.1 else laid
    return np.ascontiguousarray(bordered)


def _with_border(film: negatives.Pixels, rng: np.random.Generator) -> negatives.Pixels:
    """Add an even border to a film, as scanners and collimators do."""
    top, bottom, left, right = (int(part) for part in rng.uniform(0, 0.22, size=4) * len(film))
    grey = int(rng.choice([0, 0, 255, film[0, 0]]))
    padded = np.pad(film, ((top, bottom), (left, right)), constant_values=grey)
    small = resize_to_square(np.float32(1 / 255) * padded, len(film))
    return np.asarray(np.rint(small * 255), dtype=np.uint8)
