"""A valid film that is odd, and what it must look like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.support.factories import Pixels, dicom_bytes, film_pixels, radiograph_dataset

ROWS, COLUMNS = 240, 288
SEED = 3


def plain_pixels(bits: int = 12) -> Pixels:
    """Draw the film that the cases are made of."""
    return film_pixels(ROWS, COLUMNS, bits=bits, seed=SEED)


def plain_image() -> Pixels:
    """Return the film as it is meant to be seen, in ``[0, 1]``."""
    return plain_pixels() / 4095


def film(pixels: Pixels | None = None, syntax: str = "", **elements: Any) -> bytes:
    """Write the film as DICOM, with some elements set."""
    ds = radiograph_dataset(plain_pixels() if pixels is None else pixels, **elements)
    return dicom_bytes(ds, syntax) if syntax else dicom_bytes(ds)


@dataclass(frozen=True, slots=True)
class OddFilm:
    """One case.

    Parameters
    ----------
    name
        What is odd.
    data
        Builds the file.
    authority
        Part and section that say what is right.
    references
        Programs that agree, or disagree, as far as they were tried.
    expected
        Builds the right picture; by default the plain film.
    refusal
        Words of the reason if the right answer is a refusal; empty if it is a picture.
    tolerance
        Largest difference from `expected`, on average over the film for lossy cases.
    lossy
        Whether the average counts and not the largest difference.
    """

    name: str
    data: Callable[[], bytes]
    authority: str
    references: str = ""
    expected: Callable[[], Pixels] = plain_image
    refusal: str = ""
    tolerance: float = 1 / 255
    lossy: bool = False


def within(visible: Pixels) -> Pixels:
    """Return the film as a shutter shows it: black outside."""
    return np.where(visible, plain_image(), 0)
