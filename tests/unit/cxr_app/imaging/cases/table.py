"""All odd films with their right value."""

import numpy as np

from cxr_app.errors import FilmError
from cxr_app.imaging.intake import read_radiograph
from tests.support.factories import Pixels
from tests.unit.cxr_app.imaging.cases import pictures, shutters, values
from tests.unit.cxr_app.imaging.cases.odd_film import OddFilm

CASES = (*shutters.CASES, *values.CASES, *pictures.CASES)


def rendered(case: OddFilm) -> Pixels | str:
    """Return how the program shows a case, or why it refuses it."""
    try:
        return read_radiograph(case.data()).image
    except FilmError as error:
        return str(error)


def difference(case: OddFilm, shown: Pixels) -> float:
    """Return how far a picture is from the right one; infinite if its size is another."""
    expected = case.expected()
    if shown.shape != expected.shape:
        return float("inf")
    gap = np.abs(shown - expected)
    return float(gap.mean() if case.lossy else gap.max())
