"""Zones divide the lungs without rest, and extent grows with what is marked."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.lung_fields import LungFields, extent_of, zones_of

SIDE = 96


def lungs(found: bool = True) -> LungFields:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[12:81, 8:40] = True
    mask[18:84, 54:90] = True
    return LungFields(mask, found=found)


def test_zones_are_the_lungs_and_nothing_else() -> None:
    zones = zones_of(lungs().mask)
    assert list(zones) == [
        f"{lung} {third}" for lung in ("right", "left") for third in ("upper", "middle", "lower")
    ]
    assert np.array_equal(np.sum(list(zones.values()), axis=0), lungs().mask.astype(int))


def test_the_right_lung_is_on_the_left_side_of_the_film() -> None:
    assert zones_of(lungs().mask)["right upper"][20, 20]
    assert zones_of(lungs().mask)["left lower"][80, 70]


def test_nothing_marked_is_no_extent_and_everything_is_the_largest() -> None:
    nothing = extent_of(lungs(), np.zeros((28, 28), bool))
    everything = extent_of(lungs(), np.ones((28, 28), bool))
    assert nothing is not None
    assert everything is not None
    assert (nothing.score, nothing.main_zone) == (0, "")
    assert everything.score == 8
    assert set(everything.zones.values()) == {1.0}


def test_the_main_zone_is_where_the_heat_is() -> None:
    marked = np.zeros((28, 28), bool)
    marked[18:24, 2:11] = True
    extent = extent_of(lungs(), marked)
    assert extent is not None
    assert extent.main_zone == "right lower"
    assert 1 <= extent.score <= 4


@given(st.integers(0, 27), st.integers(1, 10))
def test_more_marked_is_never_less_extent(row: int, more: int) -> None:
    less = np.zeros((28, 28), bool)
    less[:row] = True
    greater = less.copy()
    greater[: row + more] = True
    before, after = extent_of(lungs(), less), extent_of(lungs(), greater)
    assert before is not None
    assert after is not None
    assert after.score >= before.score


@given(st.integers(0, 28), st.integers(0, 28))
def test_what_is_involved_is_scored_and_anything_marked_is_some_extent(row: int, more: int) -> None:
    involved, marked = (np.arange(28)[:, None] < rows for rows in (row, row + more))
    involved, marked = (np.broadcast_to(each, (28, 28)) for each in (involved, marked))
    found, alone = extent_of(lungs(), marked, involved), extent_of(lungs(), involved)
    everything = extent_of(lungs(), marked)
    assert found is not None
    assert alone is not None
    assert everything is not None
    assert (found.zones, found.parts) == (everything.zones, everything.parts)
    assert found.score == max(alone.score, bool(everything.main_zone))


def test_without_lungs_there_is_no_extent() -> None:
    assert extent_of(lungs(found=False), np.ones((28, 28), bool)) is None
