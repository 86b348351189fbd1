"""What a set of probabilities is worth, with intervals that respect that patients repeat."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts at one threshold."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def sensitivity(self) -> float:
        """Share of films with pneumonia that are flagged."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """Share of films without pneumonia that are not flagged."""
        return _ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def ppv(self) -> float:
        """Share of flagged films that have pneumonia, at the prevalence of these films."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def accuracy(self) -> float:
        """Share of films on the right side of the threshold."""
        right = self.true_positive + self.true_negative
        return _ratio(right, right + self.false_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of PPV and sensitivity."""
        found = 2 * self.true_positive
        return _ratio(found, found + self.false_positive + self.false_negative)


def confusion(probabilities: Floats, pneumonia: Booleans, threshold: float) -> Confusion:
    """Count films by truth and by flag; a film at the threshold is flagged."""
    flagged = probabilities >= threshold
    return Confusion(
        true_positive=int(np.sum(flagged & pneumonia)),
        false_negative=int(np.sum(~flagged & pneumonia)),
        false_positive=int(np.sum(flagged & ~pneumonia)),
        true_negative=int(np.sum(~flagged & ~pneumonia)),
    )


def auroc(probabilities: Floats, positive: Booleans) -> float:
    """Area under the ROC curve; NaN where one class is missing, which no number can stand for.

    By ranks, ties sharing theirs: fast enough for a bootstrap.

    References
    ----------
    Hanley and McNeil 1982; Mann and Whitney 1947.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(probabilities)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def brier(probabilities: Floats, pneumonia: Booleans) -> float:
    """Mean squared difference between probability and truth (Brier 1950)."""
    return float(np.mean((probabilities - pneumonia) ** 2))


def expected_calibration_error(probabilities: Floats, pneumonia: Booleans) -> float:
    """Mean gap between probability and share of pneumonia over 15 equal-width bins.

    References
    ----------
    Naeini et al. 2015; Guo et al. 2017, eq. 3 (here on the probability of pneumonia).
    """
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    sums = np.bincount(bins, weights=probabilities - pneumonia, minlength=ECE_BINS)
    return float(np.abs(sums).sum() / len(probabilities))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.intp]], float],
    patients: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Give the 95 % interval of a statistic by drawing patients, all their films at a time.

    Parameters
    ----------
    statistic
        Takes places in the list of films, repeats included.
    patients
        Of each film.

    References
    ----------
    Efron and Tibshirani 1993, percentile method; cluster bootstrap: Field and Welsh 2007.
    """
    generator = np.random.default_rng(seed)
    _, numbers = np.unique(np.asarray(patients), return_inverse=True)
    films_of = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    drawn = []
    for _ in range(resamples):
        chosen = generator.integers(0, len(films_of), len(films_of))
        drawn.append(statistic(np.concatenate([films_of[patient] for patient in chosen])))
    told = [value for value in drawn if not math.isnan(value)]
    if not told:  # a figure of nothing has no interval either
        return float("nan"), float("nan")
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def _ratio(part: int, whole: int) -> float:
    """Divide; NaN where there is nothing to divide by."""
    return part / whole if whole else float("nan")
