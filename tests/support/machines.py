"""Drawn films of two machines, for the tests of acquisition groups. Place: tests/support."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.acquisition.acquired import Acquired
from training.acquisition.fingerprint import SIDE
from training.data.dataset import LabelledFilm
from training.drawing.phantom_films import draw_phantom

Film = NDArray[np.uint8]


@cache
def plain(seed: int) -> Film:
    """Draw a film without writing."""
    film: Film = np.rint(draw_phantom(seed, SIDE, SIDE) * 255).astype(np.uint8)
    film.flags.writeable = False
    return film


def of_machine(seed: int, *, text: str = "KV59") -> Film:
    """Draw a film of a machine that writes in the lower right corner, and is pale."""
    pale = np.rint(255 * (plain(seed) / 255) ** 0.6).astype(np.uint8)
    page = Image.fromarray(pale)
    pen = ImageDraw.Draw(page)
    pen.rectangle((180, 200, 223, 223), fill=0)
    pen.text((188 + seed % 3, 206 + seed % 4), text, font=ImageFont.load_default(11), fill=250)
    return np.asarray(page)


def acquired(folder: Path, count: int, *, seed: int = 0) -> Acquired:
    """Write films of two machines: pneumonia on the pale one that writes, normal on the other."""
    films, pixels, groups = [], [], []
    for number in range(2 * count):
        pneumonia = number % 2 == 1
        image = of_machine(seed + number) if pneumonia else plain(seed + number)
        path = folder / f"{number}.png"
        Image.fromarray(image).save(path)
        target, cause = ("PNEUMONIA", "viral") if pneumonia else ("NORMAL", "")
        films.append(LabelledFilm(path, target, cause, f"patient {number}", ""))
        pixels.append(image)
        groups.append("KV" if pneumonia else "other films")
    return Acquired(films, np.array(pixels), groups, np.array([(300, 400)] * len(films)))
