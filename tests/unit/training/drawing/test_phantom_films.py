"""Drawn films: valid films in every formal respect."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cxr_app.radiograph import Image, Radiograph
from training.drawing.phantom_films import (
    Opacity,
    consolidation,
    diffuse,
    draw_phantom,
    opacities_of,
    widespread,
)
from training.phantom import main

SIZES = st.integers(min_value=64, max_value=400)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=SIZES, columns=SIZES)
def test_every_phantom_is_a_film(seed: int, rows: int, columns: int) -> None:
    film = draw_phantom(seed, rows, columns)
    radiograph = Radiograph(film, sha256="0" * 64, file_format="PNG")
    assert (radiograph.rows, radiograph.columns) == (rows, columns)
    assert np.isfinite(film).all()
    assert film.std() > 0.15, "a film has contrast"


def test_same_seed_draws_the_same_film() -> None:
    assert np.array_equal(draw_phantom(7, 300, 260), draw_phantom(7, 300, 260))


def test_other_seed_draws_another_child() -> None:
    difference = np.abs(_smooth(draw_phantom(7, 300, 260)) - _smooth(draw_phantom(8, 300, 260)))
    assert difference.max() > 0.05, "more than the noise differs"


def test_lungs_are_darker_than_what_surrounds_them() -> None:
    film = draw_phantom(3, 400, 400)
    right, left, spine = film[130:180, 100:140], film[130:180, 260:300], film[130:180, 190:210]
    assert max(right.mean(), left.mean()) < spine.mean() - 0.2


@pytest.mark.parametrize("x", [0.30, 0.72], ids=["right lung", "left lung"])
def test_an_opacity_brightens_the_lung_at_its_position(x: float) -> None:
    clear = draw_phantom(5, 500, 500)
    clouded = draw_phantom(5, 500, 500, [Opacity(x, 0.40, 0.06)])
    brighter = _smooth(clouded - clear)
    row, column = np.unravel_index(brighter.argmax(), brighter.shape)
    assert abs(column / 500 - x) < 0.06
    assert abs(row / 500 - 0.40) < 0.06
    assert brighter[450:].max() < 0.1, "nothing changes below the diaphragm"


@pytest.mark.parametrize("kind", [consolidation, diffuse, widespread])
def test_pneumonia_of_every_kind_shows(kind: Callable[[int], list[Opacity]]) -> None:
    opacities = kind(11)
    brighter = draw_phantom(11, 300, 300, opacities) - draw_phantom(11, 300, 300)
    assert _smooth(brighter).max() > 0.08
    assert kind(11) == opacities, "the same seed places the same opacities"


def test_command_writes_films_that_can_be_uploaded(tmp_path: Path) -> None:
    assert main([str(tmp_path / "films"), "--films", "2", "--seed", "5"]) == 0
    names = sorted(path.name for path in (tmp_path / "films").iterdir())
    assert names == ["phantom-005.png", "phantom-006.png"]
    with PillowImage.open(tmp_path / "films" / names[0]) as picture:
        assert picture.mode == "L"
        assert (
            np.abs(np.asarray(picture) / 255 - draw_phantom(5, opacities=opacities_of(5))).max()
            < 0.003
        )


def _smooth(film: Image) -> Image:
    """Mean over blocks of 5 x 5, at the film's own size: removes noise, keeps anatomy."""
    rows, columns = (side // 5 for side in film.shape)
    blocks = film[: rows * 5, : columns * 5].reshape(rows, 5, columns, 5).mean(axis=(1, 3))
    return np.kron(blocks, np.ones((5, 5), dtype=np.float32)).astype(np.float32)
