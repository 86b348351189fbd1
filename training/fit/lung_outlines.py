"""Training of the lung network: outlines people checked, then outlines it agrees with itself on."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cxr_app.errors import TrainingDataError
from cxr_app.lung_fields import Mask
from cxr_app.model.networks.lung_unet import LUNG_SIDE, LungNetwork
from training.data.dataset import Films
from training.data.outlines import read_masks
from training.fit.crop_training.lesson_data import draw_lungs, shrink
from training.fit.crop_training.lesson_films import CHILDREN, FilmTable
from training.measure.lung_overlap import dice

logger = logging.getLogger(__name__)

BATCH = 32
LEARNING_RATE, LATER_RATE = 4e-3, 2e-3
WEIGHT_DECAY = 0.01
AVERAGE_DECAY = 0.99
AGREEMENT = 0.9
"""Least Dice with its own outlines of changed copies for an outline to be learned from."""
SMALLEST_PIECE = 0.02
GAMMAS = (0.6, 1.6)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Films and the outlines of their lungs.

    Parameters
    ----------
    films
        ``(n, 96, 96)``, ``uint8``.
    masks
        ``(n, 96, 96)``, boolean.
    """

    films: Films
    masks: NDArray[np.bool_]

    def joined(self, other: "Outlines") -> "Outlines":
        """Return both."""
        films = np.concatenate([self.films, other.films])
        return Outlines(films, np.concatenate([self.masks, other.masks]))

    def drawn(self, count: int, seed: int) -> "Outlines":
        """Draw some of them."""
        chosen = np.random.default_rng(seed).permutation(len(self.films))[:count]
        return Outlines(self.films[chosen], self.masks[chosen])


def read_outlines(path: Path, table: FilmTable, part: str) -> Outlines:
    """Read outlines by film name, of the films of one part.

    Parameters
    ----------
    path
        As `read_masks` has it.

    Raises
    ------
    TrainingDataError
        If it cannot be read, or no film of the table is among them.
    """
    places = {Path(p).name: i for i, p in enumerate(table.paths) if table.sources[i] == CHILDREN}
    pairs = [
        (places[name], mask)
        for name, mask in read_masks(path).items()
        if name in places and table.parts[places[name]] == part
    ]
    if not pairs:
        raise TrainingDataError(f"{path.name} holds no outline of these films.")
    films = np.stack([shrink(table.pixels[place]) for place, _ in pairs])
    return Outlines(films, np.stack([mask for _, mask in pairs]))


def agreed_outlines(network: LungNetwork, films: Films) -> Outlines:
    """Keep the outlines that change little when a film is mirrored, brighter or darker.

    Parameters
    ----------
    films
        ``(n, S, S)``: films without outlines.
    """
    small = np.stack([shrink(film) for film in films])
    views = [draw_lungs(network, small), draw_lungs(network, small[:, :, ::-1].copy())[:, :, ::-1]]
    for gamma in GAMMAS:
        toned = np.rint(255 * (small / 255.0) ** gamma).astype(np.uint8)
        views.append(draw_lungs(network, toned))
    targets = np.stack([_cleaned(each) for each in np.mean(views, axis=0)])
    agreement = np.min(
        [dice(np.stack([_cleaned(each) for each in view]), targets) for view in views], axis=0
    )
    chosen = (agreement > AGREEMENT) & targets.any(axis=(1, 2))
    logger.info("%d of %d outlines agree.", int(chosen.sum()), len(films))
    return Outlines(small[chosen], targets[chosen])


def fit_lungs(
    outlines: Outlines, epochs: int, seed: int, start: LungNetwork | None = None
) -> LungNetwork:
    """Train a lung network, or train one further, and return its averaged weights."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = start or LungNetwork()
    rate = LATER_RATE if start else LEARNING_RATE
    average = AveragedModel(
        network,
        multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    batches = len(outlines.films) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=max(epochs * batches, 1), pct_start=0.2
    )
    for epoch in range(epochs):
        network.train()
        order, losses = torch.randperm(len(outlines.films), generator=generator).numpy(), []
        for batch in range(batches):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            loss = _loss(network, outlines, chosen, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            losses.append(loss.item())
        logger.info("%s", json.dumps({"epoch": epoch + 1, "loss": float(np.mean(losses))}))
    averaged = average.module
    if not isinstance(averaged, LungNetwork):
        raise TypeError(f"unexpected network {type(averaged)}")
    return averaged.eval()


def _loss(
    network: LungNetwork, outlines: Outlines, chosen: NDArray[np.int64], generator: torch.Generator
) -> Tensor:
    """Return cross-entropy and Dice loss of augmented films."""
    films = torch.from_numpy(outlines.films[chosen]).float().div(255)[:, None]
    masks = torch.from_numpy(outlines.masks[chosen]).float()[:, None]
    films, masks = _augment(films, masks, generator)
    logits = network(films)
    drawn = logits.sigmoid()
    overlap = (2 * (drawn * masks).sum(dim=(1, 2, 3)) + 1) / (
        drawn.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) + 1
    )
    cross = functional.binary_cross_entropy_with_logits(logits, masks)
    loss: Tensor = cross + (1 - overlap).mean()
    return loss


def _augment(films: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Move films and outlines together; vary tone, sharpness and noise of the films."""
    count = len(films)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    def each(values: Tensor) -> Tensor:
        return values.view(count, 1, 1, 1)

    angle, zoom = uniform(-0.3, 0.3), torch.exp(uniform(-0.3, 0.35))
    aspect, shear = torch.exp(uniform(-0.2, 0.2)), uniform(-0.1, 0.1)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = [cosine * aspect * mirror, shear - sine / aspect, uniform(-0.2, 0.2)]
    rows += [sine * aspect * mirror, cosine / aspect, uniform(-0.2, 0.2)]
    theta = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(theta, [count, 1, LUNG_SIDE, LUNG_SIDE], align_corners=False)
    films = functional.grid_sample(films, grid, align_corners=False)
    masks = functional.grid_sample(masks, grid, align_corners=False)
    films = films.clamp(1e-3, 1) ** each(torch.exp(uniform(-0.7, 0.7)))
    half = functional.interpolate(
        functional.avg_pool2d(films, 2), size=(LUNG_SIDE, LUNG_SIDE), mode="bilinear"
    )
    films = films + (films - half) * each(uniform(-1.0, 1.5))
    mean = films.mean(dim=(2, 3), keepdim=True)
    films = (films - mean) * each(uniform(0.5, 1.4)) + mean + each(uniform(-0.15, 0.15))
    noise = torch.randn(films.shape, generator=generator) * each(uniform(0, 0.06))
    return (films + noise).clamp(0, 1), masks


def _cleaned(probability: NDArray[np.float32]) -> Mask:
    """Return the two largest pieces after thin bridges are cut; empty if there are none."""
    opened = ndimage.binary_opening(probability > 0.5, iterations=2)
    labels, count = ndimage.label(opened)
    empty: Mask = np.zeros(opened.shape, bool)
    if count < 2:
        return empty
    sizes = np.bincount(labels.ravel())[1:]
    two = np.argsort(sizes)[::-1][:2]
    if sizes[two[1]] < SMALLEST_PIECE * opened.size:
        return empty
    for number in two + 1:
        piece = np.pad(labels == number, 4)
        closed = ndimage.binary_closing(piece, iterations=2)[4:-4, 4:-4]
        empty |= ndimage.binary_fill_holes(closed)
    return empty
