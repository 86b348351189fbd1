"""Crops equal Pillow's, and a crop that is put back lies where it was cut."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from torch.nn import functional

from cxr_app.model.networks.resampling import crop, middles_inside, paste_on_film, resize

EDGES = st.tuples(st.floats(0, 0.4), st.floats(0.6, 1))


@settings(max_examples=25, deadline=None)
@given(across=EDGES, down=EDGES, side=st.sampled_from([32, 96, 160]), seed=st.integers(0, 99))
def test_a_crop_equals_pillows(
    across: tuple[float, float], down: tuple[float, float], side: int, seed: int
) -> None:
    film = np.random.default_rng(seed).random((224, 224)).astype(np.float32)
    box = (across[0], down[0], across[1], down[1])
    left, top, right, bottom = (edge * 224 for edge in box)
    expected = PillowImage.fromarray(film).resize(
        (side, side), PillowImage.Resampling.BILINEAR, box=(left, top, right, bottom)
    )
    found = crop(torch.from_numpy(film)[None, None], torch.tensor([box]), side)[0, 0]
    assert np.abs(np.asarray(expected) - found.numpy()).max() < 1e-4


@pytest.mark.parametrize("side", [64, 96, 160, 224, 300])
def test_a_film_is_resized_as_pytorch_does(side: int) -> None:
    films = torch.from_numpy(np.random.default_rng(side).random((3, 1, 224, 224), np.float32))
    expected = functional.interpolate(films, (side, side), mode="bilinear", antialias=True)
    torch.testing.assert_close(resize(films, side), expected, atol=1e-5, rtol=0)


def test_a_crop_is_put_back_into_its_box() -> None:
    cells = torch.zeros(1, 20, 20)
    cells[0, 10, 5] = 4.0
    box = torch.tensor([[0.2, 0.1, 0.8, 0.9]])
    laid = paste_on_film(cells, box, 112)[0]
    row, column = np.unravel_index(int(laid.argmax()), laid.shape)
    assert abs((column + 0.5) / 112 - (0.2 + 0.6 * 5.5 / 20)) < 0.02
    assert abs((row + 0.5) / 112 - (0.1 + 0.8 * 10.5 / 20)) < 0.02


def test_cells_are_inside_a_box_if_their_middles_are() -> None:
    inside = middles_inside(torch.tensor([[0.22, 0.0, 0.8, 0.5], [0.0, 0.0, 1.0, 1.0]]), 10)
    assert inside[0].nonzero().min(dim=0).values.tolist() == [0, 2]
    assert inside[0].nonzero().max(dim=0).values.tolist() == [4, 7]
    assert inside[1].all()


def test_a_grid_over_the_whole_film_stays_as_it_is() -> None:
    cells = torch.rand(2, 28, 28)
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(2, -1)
    laid = paste_on_film(cells, whole, 28)
    assert torch.allclose(laid, cells, atol=1e-5)
