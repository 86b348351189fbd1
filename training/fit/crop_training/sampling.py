"""Which films an epoch shows: how many of each stratum, and whose look each of them gets."""

import numpy as np
from numpy.typing import NDArray

from training.fit.crop_training.lesson_data import LessonData
from training.fit.crop_training.lesson_films import (
    ADULTS,
    BACTERIAL,
    CHILDREN,
    COLLECTION,
    NORMAL,
    VIRAL,
    FilmTable,
    Places,
)
from training.fit.crop_training.lesson_settings import LessonSettings

TRAP = 0.9
"""Share of pneumonia above which a group of children's films counts as a trap."""
OWN_LOOK = -1
MOST_REPEATS = 4
"""How often an epoch may show a film of a small stratum."""


class Sampler:
    """Draws the films of one epoch after another.

    Parameters
    ----------
    data
        All films.
    learning
        ``(n,)``: which of them may be shown.
    settings
        How many of each stratum.
    seed
        The same seed draws the same films.
    """

    def __init__(
        self, data: LessonData, learning: NDArray[np.bool_], settings: LessonSettings, seed: int
    ) -> None:
        self._seed = seed
        self._chance = np.random.default_rng(seed)
        self._strata = {
            name: np.flatnonzero(where & learning) for name, where in _strata(data.table).items()
        }
        self._shown = {
            name: min(count, MOST_REPEATS * len(self._strata[name]))
            for name, count in settings.shown.items()
            if len(self._strata[name])
        }
        self._odds = _odds(data.table, data.groups, learning, settings)
        known = data.looks_of[learning & (data.looks_of >= 0)]
        numbers = data.looks.groups[known]
        self._by_group = [known[numbers == number] for number in np.unique(numbers)]

    def epoch(self, number: int, batch_size: int) -> list[Places]:
        """Draw the batches of an epoch, each stratum spread evenly over them.

        An epoch is the same whether the run was interrupted before it or not.
        """
        self._chance = np.random.default_rng((self._seed, number))
        keys, films = [], []
        for name, count in self._shown.items():
            keys.append((np.arange(count) + self._chance.random(count)) / count)
            films.append(self._chance.permutation(self._drawn(self._strata[name], count)))
        order = np.concatenate(films)[np.argsort(np.concatenate(keys))]
        starts = range(0, len(order) - batch_size + 1, batch_size)
        return [order[start : start + batch_size] for start in starts]

    def batches(self, batch_size: int) -> int:
        """Count the batches of an epoch."""
        return sum(self._shown.values()) // batch_size

    def models(self, chosen: Places, share: float) -> Places:
        """Draw whose look a share of films gets, every group equally often; `OWN_LOOK` for none."""
        if not self._by_group:
            return np.full(len(chosen), OWN_LOOK)
        groups = self._chance.integers(len(self._by_group), size=len(chosen))
        drawn = np.array([self._chance.choice(self._by_group[group]) for group in groups])
        foreign = self._chance.random(len(chosen)) < share
        return np.where(foreign, drawn, OWN_LOOK)

    def _drawn(self, films: Places, count: int) -> Places:
        odds = self._odds[films] / self._odds[films].sum()
        whole, rest = divmod(count, len(films))
        if whole and np.ptp(odds) == 0:
            more = self._chance.choice(films, rest, replace=False)
            return np.concatenate([*[films] * whole, more])
        replace = count > 0.7 * len(films)
        return self._chance.choice(films, count, replace=replace, p=odds)


def _strata(table: FilmTable) -> dict[str, NDArray[np.bool_]]:
    children, adults = table.sources == CHILDREN, table.sources == ADULTS
    collection, sick = table.sources == COLLECTION, table.targets > NORMAL
    normal = table.targets == NORMAL
    strata = {
        "normal": children & normal,
        "bacterial": children & (table.targets == BACTERIAL),
        "viral": children & (table.targets == VIRAL),
        "collection_normal": collection & normal,
        "collection_sick": collection & sick,
    }
    for view in ("AP", "PA"):
        strata[f"{view}_sick"] = adults & sick & (table.views == view)
        strata[f"{view}_normal"] = adults & normal & (table.views == view)
    return strata


def _odds(
    table: FilmTable,
    groups: NDArray[np.int64],
    learning: NDArray[np.bool_],
    settings: LessonSettings,
) -> NDArray[np.float64]:
    """Show films of weak labels less often, and the rare class of a trap more often."""
    odds = table.weights.copy()
    children, sick = table.sources == CHILDREN, table.targets > NORMAL
    for group in np.unique(groups[children]):
        own = children & learning & (groups == group)
        if own.any() and sick[own].mean() > TRAP:
            odds[own & sick] *= settings.trap_share
            odds[own & ~sick] *= settings.trap_counter
    return odds
