"""The small picture of a film in the list."""

from io import BytesIO

import numpy as np
from PIL import Image

from cxr_app.prediction import HeatScale
from cxr_app.ui.server import small_picture

FILM = np.linspace(0, 1, 500 * 400, dtype=np.float32).reshape(500, 400)


def drawn(cells: np.ndarray | None, scale: HeatScale | None) -> np.ndarray:
    with Image.open(BytesIO(small_picture.draw(FILM, cells, scale))) as picture:
        return np.asarray(picture).astype(int)


def test_the_film_keeps_its_shape_and_greys() -> None:
    picture = drawn(None, None)
    assert picture.shape == (360, 288, 3)
    assert (picture[..., 0] == picture[..., 2]).all()
    assert picture[0, 0, 0] < 5
    assert picture[-1, -1, 0] > 250


def test_the_outline_runs_around_the_heat_and_a_film_without_heat_has_none() -> None:
    cells = np.full((7, 7), -1.0, np.float32)
    assert (drawn(cells, HeatScale(0.0, 2.0)) == drawn(None, None)).all()
    cells[3, 3] = 2.0
    picture = drawn(cells, HeatScale(0.0, 2.0))
    rows, columns = np.nonzero(picture[..., 0] != picture[..., 2])
    assert abs(rows.mean() - 180) < 10
    assert abs(columns.mean() - 144) < 10
