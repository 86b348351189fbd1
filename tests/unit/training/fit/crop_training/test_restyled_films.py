"""Each look of an acquisition group is put on the films that are asked for, and on no others."""

from dataclasses import replace

import numpy as np

from tests.unit.training.fit.crop_training.lessons import film_table
from training.acquisition.groups import FEWEST
from training.fit.crop_training.lesson_films import CHILDREN
from training.fit.crop_training.restyled_films import in_each_look

TABLE = film_table(4 * FEWEST)
PLACES = np.flatnonzero((TABLE.sources == CHILDREN) & (TABLE.parts == "tune"))[:3]


def test_a_film_is_shown_in_the_look_of_every_group_that_was_learned_from() -> None:
    learned = np.flatnonzero((TABLE.sources == CHILDREN) & (TABLE.parts == "train"))
    groups = np.zeros(len(TABLE.parts), np.int64)
    groups[learned[:FEWEST]] = 1
    groups[learned[FEWEST : FEWEST + 3]] = 2  # too few to have a look
    dark = TABLE.pixels.copy()
    dark[groups == 1] //= 4
    table = replace(TABLE, pixels=dark)
    shown = list(in_each_look(table, groups, PLACES))
    assert [films.shape for films in shown] == [(3, 224, 224)] * 2
    bright, darkened = (films.mean() for films in shown)
    assert darkened < 0.6 * bright
    again = list(in_each_look(table, groups, PLACES))
    assert all((one == other).all() for one, other in zip(shown, again, strict=True))
