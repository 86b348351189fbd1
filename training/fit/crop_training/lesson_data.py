"""What a training reads besides films: lungs, crops, acquisition groups and looks."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor

from cxr_app.model.architectures import Part
from cxr_app.model.lung_box import WHOLE_FILM, box_of
from cxr_app.model.lung_finder import find_lungs
from cxr_app.model.networks.lung_unet import LUNG_SIDE, LungNetwork
from training.acquisition.groups import find_groups
from training.data.dataset import Films
from training.fit.crop_training.foreign_looks import Looks, measure_looks
from training.fit.crop_training.lesson_films import ADULTS, CHILDREN, COLLECTION, FilmTable, Places

LOOK_SIDE = 128
"""Side of the crops that looks are measured on."""
BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class LessonData:
    """Films, and everything about them that training needs; arrays of one length.

    Parameters
    ----------
    table
        The films.
    boxes
        ``(n, 4)``: what is read of each film, the box of its lungs or all of it; ``left, top,
        right, bottom`` as fractions of the film.
    lungs
        ``(n, 96, 96)``: probability of lung, 0 to 255.
    groups
        ``(n,)``: number of the acquisition group.
    looks, looks_of
        Looks of the lungs' boxes, and each film's place in them; -1 for films of a collection.
    """

    table: FilmTable
    boxes: NDArray[np.float32]
    lungs: Films
    groups: NDArray[np.int64]
    looks: Looks
    looks_of: Places

    def of_part(self, part: Part) -> Self:
        """Return what a network learns from that reads this part of films."""
        if part == "crop":
            return self
        whole = np.tile(np.array(WHOLE_FILM, np.float32), (len(self.boxes), 1))
        return replace(self, boxes=whole)


def prepare(table: FilmTable, lung_network: LungNetwork) -> LessonData:
    """Find lungs and acquisition groups of all films, and measure their looks."""
    drawn = draw_lungs(lung_network, table.pixels)
    boxes = np.array([box_of(each, find_lungs(each)) for each in drawn], dtype=np.float32)
    groups = _group_numbers(table)
    known = np.flatnonzero(table.sources != COLLECTION)
    crops = np.stack([crop_film(table.pixels[at], boxes[at], LOOK_SIDE) for at in known])
    adults = table.sources[known] == ADULTS
    looks = measure_looks(crops, groups[known], table.targets[known], adults)
    looks_of = np.full(len(boxes), -1)
    looks_of[known] = np.arange(len(known))
    lungs = np.rint(drawn * 255).astype(np.uint8)
    return LessonData(table, boxes, lungs, groups, looks, looks_of)


def draw_lungs(network: LungNetwork, films: Films) -> NDArray[np.float32]:
    """Draw the lungs of films ``(n, S, S)``: probabilities, ``(n, 96, 96)``."""
    network.eval()
    parts: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(films), BATCH):
            small = np.stack([shrink(film) for film in films[start : start + BATCH]])
            batch = torch.from_numpy(small).float().div(255)[:, None]
            parts.append(network(batch)[:, 0].sigmoid())
    drawn: NDArray[np.float32] = torch.cat(parts).numpy()
    return drawn


def shrink(film: Films) -> Films:
    """Resize a film to what the lung network sees, ``(96, 96)``."""
    size = (LUNG_SIDE, LUNG_SIDE)
    resized = PillowImage.fromarray(film).resize(size, PillowImage.Resampling.BILINEAR)
    return np.asarray(resized)


def crop_film(film: Films, box: NDArray[np.float32], side: int) -> Films:
    """Cut a box out of a film ``(S, S)`` and resize it to a square."""
    left, top, right, bottom = (float(edge) * film.shape[0] for edge in box)
    resized = PillowImage.fromarray(film).resize(
        (side, side), PillowImage.Resampling.BILINEAR, box=(left, top, right, bottom)
    )
    return np.asarray(resized)


def _group_numbers(table: FilmTable) -> NDArray[np.int64]:
    """Return numbers of acquisition groups: found among children, by view among adults."""
    names = np.full(len(table.sources), "collection", dtype=object)
    children, adults = table.sources == CHILDREN, table.sources == ADULTS
    names[children] = find_groups(table.pixels[children])
    names[adults] = [f"adult {view}" for view in table.views[adults]]
    _, numbers = np.unique(names.astype(str), return_inverse=True)
    return numbers.astype(np.int64)
