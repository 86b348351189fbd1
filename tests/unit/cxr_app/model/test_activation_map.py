import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cxr_app.model.activation_map import heat, on_film, outline
from cxr_app.prediction import HeatScale

maps = arrays(np.float32, (7, 7), elements=st.floats(-20, 20, width=32))


@given(activation_map=maps, begin=st.floats(-5, 5), reach=st.floats(0.1, 10))
def test_heat_is_on_one_fixed_scale(activation_map: np.ndarray, begin: float, reach: float) -> None:
    scale = HeatScale(begin, begin + reach)
    cells = heat(activation_map, scale)

    assert cells.dtype == np.float32
    assert ((cells >= 0) & (cells <= 1)).all()
    assert (cells[activation_map <= begin] == 0).all()
    # The same evidence has the same heat on every film, whatever else the film shows.
    alone = heat(activation_map[:1, :1], scale)
    assert alone[0, 0] == cells[0, 0]


def test_a_film_with_nothing_to_show_shows_nothing() -> None:
    below = np.full((7, 7), -0.3, dtype=np.float32)

    laid = on_film(heat(below, HeatScale(0.0, 2.0)), 400, 300)

    assert laid.max() == 0
    assert outline(laid) == []


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above begin"):
        HeatScale(1.0, 1.0)


@given(
    rows=st.integers(30, 400),
    columns=st.integers(30, 400),
    row=st.integers(0, 6),
    column=st.integers(0, 6),
)
def test_a_hot_cell_lies_on_its_own_part_of_the_film(
    rows: int, columns: int, row: int, column: int
) -> None:
    cells = np.zeros((7, 7), dtype=np.float32)
    cells[row, column] = 1.0

    laid = on_film(cells, rows, columns)

    assert laid.shape == (rows, columns)
    hottest = np.argwhere(laid >= laid.max() - 1e-6).mean(axis=0) + 0.5
    expected = np.array([(row + 0.5) / 7 * rows, (column + 0.5) / 7 * columns])
    edge = np.array([row in {0, 6}, column in {0, 6}])  # the heat of an edge cell fills the edge
    tolerance = np.where(edge, 0.5 / 7, 0.02) * (rows, columns) + 1
    assert (np.abs(hottest - expected) <= tolerance).all()


def test_the_outline_runs_round_the_heat_in_fractions_of_the_film() -> None:
    laid = np.zeros((200, 400), dtype=np.float32)
    laid[50:100, 100:300] = 1.0

    (line,) = outline(laid, level=0.5)

    assert line.shape[1] == 2
    np.testing.assert_allclose(line.min(axis=0), [0.25, 0.25], atol=0.01)
    np.testing.assert_allclose(line.max(axis=0), [0.75, 0.5], atol=0.01)


def test_an_outline_along_the_edge_is_closed() -> None:
    laid = np.ones((50, 50), dtype=np.float32)

    (line,) = outline(laid, level=0.5)

    np.testing.assert_allclose(line[0], line[-1])
    assert line.min() >= 0
    assert line.max() <= 1
