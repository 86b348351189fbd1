"""Windows defined by the standard, with names to choose from."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.imaging.pixels import plain_softcopy
from cxr_app.imaging.windowing import brightness, is_legal, presets, spanning, without_repeats
from cxr_app.radiograph import VOILUTFunction, Window

LINEAR, SIGMOID = VOILUTFunction.LINEAR, VOILUTFunction.SIGMOID


@pytest.mark.parametrize(
    ("centre", "width", "function", "legal"),
    [
        (40, 400, LINEAR, True),
        (40, 1, LINEAR, True),
        (40, 0.5, LINEAR, False),
        (40, 0.5, SIGMOID, True),
        (40, 0, SIGMOID, False),
        (40, -5, SIGMOID, False),
        (math.nan, 5, LINEAR, False),
        (5, math.inf, LINEAR, False),
        (1e300, 5, LINEAR, False),
    ],
)
def test_window_is_legal_or_not(
    centre: float, width: float, function: VOILUTFunction, legal: bool
) -> None:
    assert is_legal(centre, width, function) is legal


@given(
    function=st.sampled_from(VOILUTFunction),
    centre=st.floats(-1e6, 1e6),
    width=st.floats(1, 1e6),
    values=st.lists(st.floats(-1e9, 1e9), min_size=1),
)
def test_brighter_values_are_never_shown_darker(
    function: VOILUTFunction, centre: float, width: float, values: list[float]
) -> None:
    shown = brightness(Window("any", centre, width, function), np.sort(values))
    assert ((shown >= 0) & (shown <= 1)).all()
    assert (np.diff(shown) >= 0).all()


def test_lut_is_interpolated_between_its_entries() -> None:
    window = Window("LUT", 10, 4, lut=(0.0, 1.0, 0.5))
    assert np.allclose(
        brightness(window, np.array([0, 8, 9, 10, 12, 99.0])), [0, 0, 0.5, 1, 0.5, 0.5]
    )


def test_film_of_one_value_gets_no_presets() -> None:
    assert presets(plain_softcopy(np.full((5, 5), 7, np.uint16), 12)) == ()


def test_what_is_hidden_does_not_count_for_presets() -> None:
    values = np.arange(100, dtype=np.uint16).reshape(10, 10)
    film, hidden = plain_softcopy(values, 12), values >= 50
    shut = replace(film, values=np.where(hidden, np.uint16(4000), values), hidden=hidden)
    seen = plain_softcopy(values[:5], 12)
    assert presets(shut) == presets(seen)
    assert presets(replace(film, hidden=np.ones_like(hidden))) == ()


def test_equal_windows_are_offered_once_and_equal_names_numbered() -> None:
    offered = (spanning("A", 0, 1), spanning("B", 0, 1), spanning("A", 0, 2))
    assert [window.name for window in without_repeats(offered)] == ["A", "A (2)"]
