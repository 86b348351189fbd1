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

OWN_LOOK = -1
FEWEST_OF_A_CLASS = 5
"""Films of a class below which a group says nothing about disease, only about its machine."""
FEWEST_KEPT = 0.75
"""Share of each class that must remain where films of one-class groups are left out."""
ANY_GROUP = 0.1
"""Added to the odds of each group's look, so that no film gets the looks of some groups alone."""
MOST_REPEATS = 4
"""How often an epoch may show a film of a small stratum; and how far balance may raise or lower the
odds of a group's films."""


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
        shown = without_one_class_groups(data.table, data.groups, learning)
        self._strata = {
            name: np.flatnonzero(where & shown) for name, where in _strata(data.table).items()
        }
        self._shown = {
            name: min(count, MOST_REPEATS * len(self._strata[name]))
            for name, count in settings.shown.items()
            if len(self._strata[name])
        }
        self._odds = _odds(data.table, data.groups, shown, settings)
        known = np.flatnonzero(learning & (data.looks_of >= 0))
        numbers = data.groups[known]
        self._by_group = [data.looks_of[known[numbers == each]] for each in np.unique(numbers)]
        self._sick = data.table.targets > NORMAL
        self._look_odds = _look_odds(self._sick, data.groups, shown, np.unique(numbers))

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
        """Draw whose look a share of films gets; `OWN_LOOK` for none.

        A film gets most often the looks that came with the other class.
        """
        if not self._by_group:
            return np.full(len(chosen), OWN_LOOK)
        count = len(self._by_group)
        odds = [self._look_odds[int(sick)] for sick in self._sick[chosen]]
        groups = [self._chance.choice(count, p=each) for each in odds]
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


def without_one_class_groups(
    table: FilmTable, groups: NDArray[np.int64], learning: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Leave out children's films of groups that hold next to no film of the other class.

    A network learns such a machine in place of the disease. All stay if fewer than `FEWEST_KEPT` of
    a class would remain, as where each class came from a machine of its own.

    Parameters
    ----------
    groups, learning
        ``(n,)``: number of each film's acquisition group; which films may be learned from.
    """
    children, sick = learning & (table.sources == CHILDREN), table.targets > NORMAL
    kept = learning.copy()
    for group in np.unique(groups[children]):
        own = children & (groups == group)
        for target in (sick, ~sick):
            if (own & ~target).sum() < FEWEST_OF_A_CLASS:
                kept &= ~(own & target)
    remain = [
        (kept & part).sum() >= FEWEST_KEPT * part.sum()
        for part in (children & sick, children & ~sick)
    ]
    return kept if all(remain) else learning


def _look_odds(
    sick: NDArray[np.bool_],
    groups: NDArray[np.int64],
    shown: NDArray[np.bool_],
    numbers: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often a film without, and one with pneumonia gets the look of each group."""
    share = np.full(len(numbers), 0.5)
    for place, number in enumerate(numbers):
        own = shown & (groups == number)
        if min((own & sick).sum(), (own & ~sick).sum()) >= FEWEST_OF_A_CLASS:
            share[place] = sick[own].mean()
    well, ill = share + ANY_GROUP, 1 - share + ANY_GROUP
    return well / well.sum(), ill / ill.sum()


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
    shown: NDArray[np.bool_],
    settings: LessonSettings,
) -> NDArray[np.float64]:
    """Show films of weak labels less often, and the rare class of a group of children more often.

    With a full balance each group is as common among films with pneumonia as among normal ones, so
    that it says nothing of the disease (Idrissi et al. 2022), but for groups so nearly of one class
    that `MOST_REPEATS` stops it.
    """
    odds = table.weights.copy()
    children, sick = shown & (table.sources == CHILDREN), table.targets > NORMAL
    for group in np.unique(groups[children]):
        own = children & (groups == group)
        ill, well = (own & sick).sum(), (own & ~sick).sum()
        if ill and well:
            factor = (well / ill) ** (settings.group_balance / 2)
            factor = np.clip(factor, 1 / MOST_REPEATS, MOST_REPEATS)
            odds[own & sick] *= factor
            odds[own & ~sick] /= factor
    return odds
