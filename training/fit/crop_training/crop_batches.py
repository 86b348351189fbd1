"""Batches of lung crops or films: cut with jitter, varied, and labelled by film and by cell."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import gaussian_blur

from cxr_app.model.networks.evidence_pyramid import CELL
from training.fit.crop_training.foreign_looks import put_on
from training.fit.crop_training.lesson_data import LessonData
from training.fit.crop_training.lesson_films import (
    ADULTS,
    BACTERIAL,
    BOX_SIDE,
    CHILDREN,
    COLLECTION,
    GROWN_UP,
    NORMAL,
    VIRAL,
    Places,
)
from training.fit.crop_training.lesson_settings import LessonSettings

Uniform = Callable[[float, float], Tensor]
"""Draws one number for each film of a batch."""

DRAWN_SIDE = 56
"""Side of the grid that boxes are drawn on."""
BLUR_SIDE = 160
"""Side of crops at which the blur has the standard deviation `BLUR`."""
BLUR = 1.2
FAR_FROM_LUNG = 0.1
LOWEST_QUALITY, HIGHEST_QUALITY = 25, 90


@dataclass(frozen=True, slots=True)
class CropBatch:
    """Crops and what is to be learned from them, ``(B, ...)``.

    Parameters
    ----------
    crops
        ``(B, 1, S, S)`` in ``[0, 1]``.
    sick, weight
        1 for pneumonia; what the film counts.
    viral, has_cause
        1 for viral, 0 for bacterial; whether the cause is known.
    adult, age_is_known
        1 for an adult; whether the age is known.
    cells, cell_weight
        ``(B, S/8, S/8)``: share of the cell that is diseased; what the cell counts.
    """

    crops: Tensor
    sick: Tensor
    weight: Tensor
    viral: Tensor
    has_cause: Tensor
    adult: Tensor
    age_is_known: Tensor
    cells: Tensor
    cell_weight: Tensor


def make_batch(
    data: LessonData,
    chosen: Places,
    models: Places,
    side: int,
    settings: LessonSettings,
    generator: torch.Generator,
) -> CropBatch:
    """Crop, vary and label films.

    Parameters
    ----------
    chosen
        Places of the films.
    models
        Whose look each gets, as `Sampler.models` has it.
    side
        Of the crops in pixels.
    generator
        The only source of random numbers; the batch is made on its device.
    """
    device = generator.device
    uniform = _uniform(len(chosen), generator)
    films = torch.from_numpy(data.table.pixels[chosen]).to(device).float().div(255)[:, None]
    boxes = torch.from_numpy(data.boxes[chosen]).to(device)
    theta = _maps_to_film(boxes, settings, uniform)
    size = [len(chosen), 1, side, side]
    grid = functional.affine_grid(theta, size, align_corners=False)
    crops = functional.grid_sample(films, grid, align_corners=False)
    cells, cell_weight = _cell_targets(data, chosen, theta, side // CELL, settings)
    known = np.flatnonzero((data.looks_of[chosen] >= 0) & (models >= 0))
    if len(known):
        own = data.looks_of[chosen[known]]
        crops[known] = put_on(crops[known], own, models[known], data.looks, generator)
    crops = _vary(crops, settings, uniform, generator)
    mirrored = uniform(0, 1) < settings.flip
    for each in (crops, cells, cell_weight):
        each[mirrored] = each[mirrored].flip(-1)
    labelled = _labelled(data, chosen, settings)
    return CropBatch(
        crops=crops.contiguous(memory_format=torch.channels_last),
        **{name: values.to(device) for name, values in labelled.items()},
        cells=cells,
        cell_weight=cell_weight,
    )


def disease_map(boxes: str) -> NDArray[np.float32]:
    """Draw boxes, ``x y w h`` in pixels of 320 with vertical bars between, ``(56, 56)``."""
    drawn = np.zeros((DRAWN_SIDE, DRAWN_SIDE), np.float32)
    for box in boxes.split("|"):
        x, y, width, height = (float(value) * DRAWN_SIDE / BOX_SIDE for value in box.split())
        bottom, right = max(round(y + height), round(y) + 1), max(round(x + width), round(x) + 1)
        drawn[round(y) : bottom, round(x) : right] = 1
    return drawn


def _labelled(data: LessonData, chosen: Places, settings: LessonSettings) -> dict[str, Tensor]:
    """Return what a batch says of its films, by its name there."""
    table = data.table
    targets, sources = table.targets[chosen], table.sources[chosen]
    certain = table.weights[chosen] >= 1
    grown = (sources == ADULTS) & (table.ages[chosen] >= GROWN_UP)
    return {
        "sick": _tensor(targets > NORMAL),
        "weight": _tensor(np.where(certain, 1.0, settings.weak_weight)),
        "viral": _tensor(targets == VIRAL),
        "has_cause": _tensor((targets == VIRAL) | (targets == BACTERIAL)),
        "adult": _tensor(sources != CHILDREN),
        "age_is_known": _tensor((sources == CHILDREN) | grown | (sources == COLLECTION)),
    }


def _tensor(values: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _uniform(count: int, generator: torch.Generator) -> Uniform:
    def draw(low: float, high: float) -> Tensor:
        drawn = torch.rand(count, generator=generator, device=generator.device)
        return low + (high - low) * drawn

    return draw


def _maps_to_film(boxes: Tensor, settings: LessonSettings, uniform: Uniform) -> Tensor:
    """Map crops to films ``(B, 2, 3)``: jittered boxes, turned, sheared and scaled a little."""
    left, top, right, bottom = boxes.unbind(1)
    wide, high, jitter = right - left, bottom - top, settings.jitter
    left = left + wide * uniform(-jitter, jitter)
    right = right + wide * uniform(-jitter, jitter)
    top = top + high * uniform(-jitter, jitter)
    bottom = bottom + high * uniform(-jitter, jitter)
    zoom = torch.exp(uniform(-settings.zoom, settings.zoom))
    half_x, half_y = (right - left) * zoom, (bottom - top) * zoom  # where the film is 2 wide
    angle = torch.deg2rad(uniform(-settings.rotation_degrees, settings.rotation_degrees))
    shear = uniform(-settings.shear, settings.shear)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = [half_x * cosine, -half_y * sine + shear * half_y, left + right - 1]
    rows += [half_x * sine, half_y * cosine, top + bottom - 1]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def _cell_targets(
    data: LessonData, chosen: Places, theta: Tensor, side: int, settings: LessonSettings
) -> tuple[Tensor, Tensor]:
    """Return how much of each cell is diseased, and what that counts; both ``(B, side, side)``."""
    size = [len(chosen), 1, 2 * side, 2 * side]
    places = functional.affine_grid(theta, size, align_corners=False)
    lungs = torch.from_numpy(data.lungs[chosen]).to(theta.device).float().div(255)[:, None]
    lungs = functional.avg_pool2d(functional.grid_sample(lungs, places, align_corners=False), 2)
    near = functional.max_pool2d(lungs, 3, 1, 1)[:, 0]
    cells = torch.zeros(len(chosen), side, side, device=theta.device)
    normal = _tensor(data.table.targets[chosen] == NORMAL).to(theta.device).view(-1, 1, 1)
    weight = torch.maximum(
        settings.outside_weight * (near < FAR_FROM_LUNG).float(),
        settings.normal_cell_weight * normal.expand_as(cells),
    )
    for at in np.flatnonzero(data.table.boxes[chosen] != ""):
        drawn = torch.from_numpy(disease_map(data.table.boxes[chosen[at]])).to(theta.device)
        seen = functional.grid_sample(drawn[None, None], places[at : at + 1], align_corners=False)
        cells[at] = functional.avg_pool2d(seen, 2)[0, 0]
        weight[at] = settings.box_weight * (1 + settings.box_positive * cells[at])
    return cells, weight


def _vary(
    x: Tensor, settings: LessonSettings, uniform: Uniform, generator: torch.Generator
) -> Tensor:
    """Change exposure, shading, sharpness, resolution and noise; hide rectangles and borders."""
    x = x.clamp(1e-3, 1) ** _each(torch.exp(uniform(-settings.gamma, settings.gamma)))
    x = _shade(x, settings, uniform, generator)
    sigma = BLUR * x.shape[-1] / BLUR_SIDE
    blurred = gaussian_blur(x, kernel_size=[7, 7], sigma=[sigma, sigma])
    x = x + _each(uniform(-1.0, settings.sharpen)) * (x - blurred)
    x = _coarsen(x, uniform(0, 1) < settings.coarse, float(uniform(0, 1)[0]))
    mean = x.mean(dim=(2, 3), keepdim=True)
    contrast = 1 + uniform(-settings.contrast, settings.contrast)
    brightness = uniform(-settings.brightness, settings.brightness)
    x = (x - mean) * _each(contrast) + mean + _each(brightness)
    x = _hide(x, settings, uniform)
    noise = torch.randn(x.shape, generator=generator, device=generator.device)
    x = (x + noise * _each(uniform(0, settings.noise))).clamp(0, 1)
    return _compress(x, uniform(0, 1) < settings.compress, uniform(0, 1))


def _shade(
    x: Tensor, settings: LessonSettings, uniform: Uniform, generator: torch.Generator
) -> Tensor:
    grid = torch.rand(len(x), 1, 3, 3, generator=generator, device=generator.device) - 0.5
    shade = functional.interpolate(grid, size=x.shape[-2:], mode="bicubic")
    return x + shade * _each(uniform(0, settings.shade))


def _coarsen(x: Tensor, chosen: Tensor, drawn: float) -> Tensor:
    """Reduce the resolution of some films and bring them back to their size."""
    if chosen.any():
        factor = 0.45 + 0.4 * drawn
        low = functional.interpolate(
            x[chosen], scale_factor=factor, mode="bilinear", antialias=True
        )
        x[chosen] = functional.interpolate(low, size=x.shape[-2:], mode="bilinear")
    return x


def _compress(x: Tensor, chosen: Tensor, drawn: Tensor) -> Tensor:
    """Store some films as JPEG and read them again."""
    places = chosen.nonzero()[:, 0]
    quality = LOWEST_QUALITY + (HIGHEST_QUALITY - LOWEST_QUALITY) * drawn[places]
    greys = (x[places, 0] * 255).round().byte().cpu().numpy()
    stored = [_stored(*film) for film in zip(greys, quality.tolist(), strict=True)]
    if stored:
        x[places, 0] = torch.from_numpy(np.stack(stored)).to(x.device).float().div(255)
    return x


def _stored(grey: NDArray[np.uint8], quality: float) -> NDArray[np.uint8]:
    file = BytesIO()
    PillowImage.fromarray(grey).save(file, "JPEG", quality=int(quality))
    return np.array(PillowImage.open(file))


def _hide(x: Tensor, settings: LessonSettings, uniform: Uniform) -> Tensor:
    """Cover a rectangle of some films, and the border of others, with one grey."""
    place = torch.arange(x.shape[-1], device=x.device).view(1, 1, 1, -1) / x.shape[-1]
    rows, columns = place.transpose(2, 3), place
    row, height = _each(uniform(0, 1)), _each(uniform(0.02, 0.13))
    column, width = _each(uniform(0, 1)), _each(uniform(0.02, 0.13))
    inside = ((rows - row).abs() < height) & ((columns - column).abs() < width)
    erased = inside & _each(uniform(0, 1) < settings.erase)
    x = torch.where(erased, _each(uniform(0, 1)), x)
    edge = 0.5 - _each(uniform(0, 0.1))
    outside = ((rows - 0.5).abs() > edge) | ((columns - 0.5).abs() > edge)
    covered = outside & _each(uniform(0, 1) < settings.border)
    return torch.where(covered, _each(uniform(0, 1)), x)


def _each(values: Tensor) -> Tensor:
    """Shape one value a film ``(B,)`` as ``(B, 1, 1, 1)``."""
    return values.view(-1, 1, 1, 1)
