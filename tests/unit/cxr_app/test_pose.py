"""A film turned and mirrored by a person's word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.pose import AS_IT_LIES, Pose, pose_of, posed_radiograph, posed_softcopy
from cxr_app.radiograph import Radiograph, Softcopy, Window

poses = st.builds(Pose, st.integers(0, 3), st.booleans())


def test_a_quarter_turn_goes_clockwise_and_mirroring_comes_after_it() -> None:
    film = np.array([[1, 2, 3], [4, 5, 6]])
    assert Pose(1).applied(film).tolist() == [[4, 1], [5, 2], [6, 3]]
    assert Pose(1, mirrored=True).applied(film).tolist() == [[1, 4], [2, 5], [3, 6]]
    assert Pose(2).applied(film).tolist() == [[6, 5, 4], [3, 2, 1]]


@given(poses)
def test_every_pose_survives_an_address_and_another_text_is_the_film_as_it_lies(pose: Pose) -> None:
    assert pose_of(pose.key) == pose
    assert pose_of(pose.key + "x") == AS_IT_LIES


@given(poses)
def test_the_film_and_what_is_shown_of_it_turn_alike(pose: Pose) -> None:
    grey = np.arange(12, dtype=np.uint16).reshape(3, 4)
    hidden = grey < 5
    radiograph = Radiograph((grey / 12).astype(np.float32), "0" * 64, "PNG", size=(30, 40))
    softcopy = Softcopy(grey, 0.0, 1.0, (Window("all", 6, 12),), hidden=hidden)
    film, shown = posed_radiograph(radiograph, pose), posed_softcopy(softcopy, pose)
    assert np.array_equal((film.image * 12).round(), shown.values)
    assert shown.hidden is not None
    assert np.array_equal(shown.hidden, shown.values < 5)
    assert (film.rows, film.columns) == ((40, 30) if pose.quarter_turns % 2 else (30, 40))


@given(poses)
def test_what_was_turned_is_turned_back(pose: Pose) -> None:
    film = np.arange(12).reshape(3, 4)
    assert np.array_equal(pose.undone(pose.applied(film)), film)


def test_there_are_four_quarters() -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        Pose(4)


@given(poses, st.integers(0, 2), st.integers(0, 3))
def test_a_point_of_a_turned_film_is_found_on_the_film(pose: Pose, row: int, column: int) -> None:
    film = np.arange(12).reshape(3, 4)
    shown = pose.applied(film)
    [(down, across)] = np.argwhere(shown == film[row, column])
    point = ((across + 0.5) / shown.shape[1], (down + 0.5) / shown.shape[0])
    assert pose.undone_point(point) == pytest.approx(((column + 0.5) / 4, (row + 0.5) / 3))
