"""Children's films in the looks of acquisition groups, as a training and its judges show them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.acquisition.groups import FEWEST
from training.acquisition.looks import look_of, restyle
from training.data.dataset import Films
from training.fit.crop_training.lesson_films import CHILDREN, FilmTable, Places

SEED = 0
"""Of the films whose look each gets: every network is judged on the same."""


def in_each_look(table: FilmTable, groups: NDArray[np.int64], places: Places) -> Iterator[Films]:
    """Yield some films in the look of each acquisition group that a training has.

    Parameters
    ----------
    groups
        ``(n,)``: number of the acquisition group of each film of the table.
    places
        ``(m,)``: of the films.

    Yields
    ------
    ndarray
        ``(m, 224, 224)``, 0 to 255; a group with few films has no look.
    """
    chance = np.random.default_rng(SEED)
    own = [look_of(table.pixels[place]) for place in places]
    learned = (table.sources == CHILDREN) & (table.parts == "train")
    for group in np.unique(groups[learned]):
        members = np.flatnonzero(learned & (groups == group))
        if len(members) >= FEWEST:
            looks = [look_of(table.pixels[chance.choice(members)]) for _ in places]
            shown = zip(table.pixels[places], own, looks, strict=True)
            films: Films = np.stack([restyle(*film) for film in shown])
            yield films
