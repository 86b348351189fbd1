"""What the viewer is sent is the film, value for value."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cxr_app.lung_fields import LungFields
from cxr_app.prediction import HeatScale
from cxr_app.radiograph import Softcopy, VOILUTFunction, Window
from cxr_app.ui.server import film_payload
from tests.support.lungs import SIDE, two_lungs

SCALE = HeatScale(0.0, 4.0)
WINDOW = Window("Film", window_center=40.5, window_width=400.0)


def unpack(payload: bytes) -> tuple[dict[str, Any], NDArray[Any]]:
    """Read a payload as the viewer does."""
    (length,) = struct.unpack_from("<I", payload)
    header = json.loads(payload[4 : 4 + length])
    values = np.frombuffer(payload, dtype=f"<u{header['bits'] // 8}", offset=4 + length)
    return header, values.reshape(header["rows"], header["columns"])


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_every_value_survives_the_way(values: NDArray[np.uint16]) -> None:
    header, arrived = unpack(film_payload.pack_film(Softcopy(values, -1024.0, 0.5, (WINDOW,))))
    assert np.array_equal(arrived, values)
    assert header["bits"] == (8 if values.max() < 256 else 16)
    assert header["largest"] == values.max()
    assert (header["origin"], header["step"]) == (-1024.0, 0.5)


@given(st.text(max_size=30))
def test_values_begin_at_a_multiple_of_four_bytes_whatever_the_windows_are_called(
    name: str,
) -> None:
    window = Window(name, 1.0, 2.0, VOILUTFunction.SIGMOID, lut=(0.0, 0.25, 1.0))
    softcopy = Softcopy(np.full((2, 3), 700, np.uint16), 0.0, 1.0, (window,), inverted=True)
    payload = film_payload.pack_film(softcopy)
    header, _ = unpack(payload)
    assert struct.unpack_from("<I", payload)[0] % 4 == 0
    assert header["inverted"] is True
    assert header["windows"] == [
        {
            "name": name,
            "center": 1.0,
            "width": 2.0,
            "function": "SIGMOID",
            "lut": [0.0, 0.25, 1.0],
        }
    ]


def test_a_very_long_film_is_reduced_and_keeps_its_shape_and_brightness() -> None:
    values = np.tile(np.arange(0, 4096, dtype=np.uint16), (512, 1))
    header, arrived = unpack(film_payload.pack_film(Softcopy(values, 0.0, 1.0, (WINDOW,))))
    assert (header["rows"], header["columns"]) == (384, film_payload.LONGEST_SIDE)
    assert (header["film_rows"], header["film_columns"]) == (512, 4096)
    assert arrived.mean() == pytest.approx(values.mean(), rel=1e-3)


def test_a_film_at_the_longest_side_is_sent_whole() -> None:
    values = np.ones((3, film_payload.LONGEST_SIDE), np.uint16)
    header, _ = unpack(film_payload.pack_film(Softcopy(values, 0.0, 1.0, (WINDOW,))))
    assert header["columns"] == header["film_columns"] == film_payload.LONGEST_SIDE


def test_a_map_below_the_operating_point_is_empty() -> None:
    cells = np.full((7, 7), -0.001, np.float32)
    header, values = unpack(film_payload.pack_heat(cells, HeatScale(0.0, 4.0), 1000, 1400))
    assert header["empty"] is True
    assert header["outline"] == []
    assert not values.any()


@given(st.floats(0.5, 20.0), st.integers(0, 6), st.integers(0, 6))
def test_heat_means_the_same_on_every_film(evidence: float, row: int, column: int) -> None:
    cells = np.full((7, 7), -1.0, np.float32)
    cells[row, column] = evidence
    _, values = unpack(film_payload.pack_heat(cells, HeatScale(0.0, 8.0), 700, 1400))
    assert values.max() == pytest.approx(255 * min(evidence / 8.0, 1.0), abs=12)


def test_the_outline_of_two_lungs_goes_along_as_fractions_of_the_film() -> None:
    cells = np.full((7, 7), -1.0, np.float32)
    header, _ = unpack(film_payload.pack_heat(cells, SCALE, 1000, 1400, two_lungs()))
    assert header["empty"] is True
    right, left = sorted((np.array(line) for line in header["lungs"]), key=lambda line: line.min())
    for line, edges in ((right, (8, 12, 40, 81)), (left, (54, 18, 90, 84))):
        outermost = [*line.min(axis=0), *line.max(axis=0)]
        np.testing.assert_allclose(outermost, np.array(edges) / SIDE, atol=0.006)


@pytest.mark.parametrize("lungs", [None, two_lungs(found=False)], ids=["none", "not found"])
def test_where_no_two_lungs_were_found_there_is_no_outline(lungs: LungFields | None) -> None:
    cells = np.full((7, 7), 9.0, np.float32)
    header, _ = unpack(film_payload.pack_heat(cells, SCALE, 1000, 1400, lungs))
    assert header["lungs"] == []


def test_heat_has_the_shape_of_its_film() -> None:
    cells = np.zeros((7, 7), np.float32)
    header, _ = unpack(film_payload.pack_heat(cells, HeatScale(0.0, 4.0), 2500, 2048))
    assert (header["rows"], header["columns"]) == (film_payload.HEAT_SIDE, 419)
