"""Epochs show no machine that came with one class, and looks of machines across classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.training.fit.crop_training.lessons import film_table, lesson_data
from training.fit.crop_training.lesson_films import ADULTS, CHILDREN, NORMAL
from training.fit.crop_training.lesson_settings import LessonSettings
from training.fit.crop_training.sampling import (
    FEWEST_KEPT,
    OWN_LOOK,
    Sampler,
    without_one_class_groups,
)

TABLE = film_table(240)
CHILDS, SICK = TABLE.sources == CHILDREN, TABLE.targets > NORMAL
EVERY = np.ones(240, bool)


def groups_with_trap(sick_in_trap: int, normal_in_trap: int) -> NDArray[np.int64]:
    """Number two groups of children, and a third that holds so many of each class."""
    groups = np.arange(240) // 4 % 2
    for chosen, count in ((CHILDS & SICK, sick_in_trap), (CHILDS & ~SICK, normal_in_trap)):
        groups[np.flatnonzero(chosen)[:count]] = 2
    groups[TABLE.sources == ADULTS] = 3
    return groups


def test_films_of_a_machine_that_came_with_one_class_are_left_out() -> None:
    groups = groups_with_trap(15, 2)
    kept = without_one_class_groups(TABLE, groups, EVERY)
    assert not kept[(groups == 2) & SICK].any()
    assert kept[(groups == 2) & ~SICK].all()  # these few contradict the machine
    assert kept[groups != 2].all()


def test_a_machine_with_some_films_of_each_class_stays() -> None:
    assert without_one_class_groups(TABLE, groups_with_trap(15, 5), EVERY).all()


@given(sick=st.integers(0, 80), normal=st.integers(0, 80))
def test_no_class_loses_more_than_a_quarter(sick: int, normal: int) -> None:
    kept = without_one_class_groups(TABLE, groups_with_trap(sick, normal), EVERY)
    for chosen in (CHILDS & SICK, CHILDS & ~SICK):
        assert kept[chosen].sum() >= FEWEST_KEPT * chosen.sum()
    assert kept[TABLE.sources == ADULTS].all()


def test_where_each_class_has_a_machine_of_its_own_all_films_stay() -> None:
    groups = np.where(TABLE.sources == ADULTS, 3, np.where(SICK, 1, 0))
    assert without_one_class_groups(TABLE, groups, EVERY).all()


@pytest.mark.parametrize("is_sick", [False, True])
def test_a_film_gets_most_often_the_look_that_came_with_the_other_class(is_sick: bool) -> None:
    data = lesson_data(240)
    data.groups[:] = groups_with_trap(0, 0)
    rare = CHILDS & (data.groups == 0)
    data.groups[rare & ~SICK & (np.arange(240) % 5 > 0)] = 1  # group 0: most have pneumonia
    sampler = Sampler(data, EVERY, LessonSettings(), 0)
    chosen = np.repeat(np.flatnonzero(CHILDS & (is_sick == SICK)), 40)
    models = sampler.models(chosen, share=1.0)
    assert (models != OWN_LOOK).all()
    counts = np.bincount(data.groups[models], minlength=4)
    assert (counts[0] > counts[1]) != is_sick
    assert (counts[[0, 1, 3]] > 0).all()


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_a_balanced_group_says_nothing_of_the_disease(balance: float) -> None:
    data = lesson_data(240)
    children = np.flatnonzero(CHILDS)
    sick = SICK[children]
    data.groups[children] = np.where(np.arange(len(children)) % 5 == 0, sick, ~sick)
    settings = LessonSettings(group_balance=balance)
    sampler = Sampler(data, EVERY, settings, 0)
    shown = np.concatenate([films for epoch in range(30) for films in sampler.epoch(epoch, 8)])
    shown = shown[CHILDS[shown]]
    share = [(data.groups[shown] == 1)[SICK[shown] == is_sick].mean() for is_sick in (True, False)]
    assert (abs(share[0] - share[1]) < 0.05) == (balance == 1.0)
