"""What a set of probabilities is worth, with intervals that respect that patients repeat."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Drawn = NDArray[np.intp]
"""Places in a list of films, repeats included."""

ECE_BINS = 15
NORMAL_95 = NormalDist().inv_cdf(0.975)
GRID: Floats = np.linspace(0, 1, 101)
"""Where curves and their bands are reckoned."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


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
    def npv(self) -> float:
        """Share of films not flagged that have no pneumonia, at the prevalence of these films."""
        return _ratio(self.true_negative, self.true_negative + self.false_negative)

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
    """Area under the ROC curve; NaN where a class or a probability is missing.

    A positive film wins against each negative one below it and half wins a tie. By sorting: fast
    enough for a bootstrap.

    References
    ----------
    Hanley and McNeil 1982; Mann and Whitney 1947.
    """
    positives, negatives = probabilities[positive], np.sort(probabilities[~positive])
    if not len(positives) or not len(negatives) or np.isnan(probabilities).any():
        return float("nan")
    below = np.searchsorted(negatives, positives, side="left").sum()
    not_above = np.searchsorted(negatives, positives, side="right").sum()
    return float((below + not_above) / 2 / (len(positives) * len(negatives)))


def roc(probabilities: Floats, pneumonia: Booleans, alarms: Floats = GRID) -> Floats:
    """Give the sensitivity at each share of false alarms; NaN where a class is missing.

    At a share that several thresholds have, the best of them counts: a staircase, no slope. A film
    is flagged above every film that must not be, so ties cost sensitivity.
    """
    positives, negatives = np.sort(probabilities[pneumonia]), np.sort(probabilities[~pneumonia])
    if not len(positives) or not len(negatives):
        return np.full(len(alarms), np.nan)
    allowed = np.floor(alarms * len(negatives) + 1e-9).astype(int)
    limits = np.append(negatives[::-1], -np.inf)[allowed]
    above = len(positives) - np.searchsorted(positives, limits, side="right")
    found: Floats = above / len(positives)
    return found


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> tuple[float, float]:
    """Give PPV and NPV where `prevalence` of the films have pneumonia, by Bayes' rule.

    Sensitivity and specificity are taken to be the same there, which nobody can promise.
    """
    found, missed = sensitivity * prevalence, (1 - sensitivity) * prevalence
    alarms, cleared = (1 - specificity) * (1 - prevalence), specificity * (1 - prevalence)
    return _ratio(found, found + alarms), _ratio(cleared, cleared + missed)


def bins_of(probabilities: Floats) -> NDArray[np.int_]:
    """Say into which of `ECE_BINS` equal-width bins each probability falls."""
    bins: NDArray[np.int_] = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    return bins


def expected_calibration_error(probabilities: Floats, pneumonia: Booleans) -> float:
    """Mean gap between probability and share of pneumonia over 15 equal-width bins.

    References
    ----------
    Naeini et al. 2015; Guo et al. 2017, eq. 3 (here on the probability of pneumonia).
    """
    bins = bins_of(probabilities)
    sums = np.bincount(bins, weights=probabilities - pneumonia, minlength=ECE_BINS)
    return float(np.abs(sums).sum() / len(probabilities))


def wilson_interval(part: float, whole: float) -> tuple[float, float]:
    """Give the 95 % interval of a share; the whole range where there is nothing to divide by.

    References
    ----------
    Wilson 1927.
    """
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, NORMAL_95**2 / whole
    centre = (share + spread / 2) / (1 + spread)
    reach = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    low = centre - reach if part > 0 else 0.0  # which it is, but for the rounding
    return low, centre + reach if part < whole else 1.0


def draws(patients: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> Iterator[Drawn]:
    """Draw films by patient, with repeats: as many patients as there are, all their films each.

    References
    ----------
    Cluster bootstrap: Field and Welsh 2007.
    """
    generator = np.random.default_rng(seed)
    _, numbers = np.unique(np.asarray(patients), return_inverse=True)
    films_of = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    for _ in range(resamples):
        chosen = generator.integers(0, len(films_of), len(films_of))
        yield np.concatenate([films_of[patient] for patient in chosen])


def bootstrap_interval(
    statistic: Callable[[Drawn], float],
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
    Efron and Tibshirani 1993, percentile method.
    """
    drawn = [statistic(films) for films in draws(patients, resamples=resamples, seed=seed)]
    told = [value for value in drawn if not math.isnan(value)]
    if not told:  # a figure of nothing has no interval either
        return float("nan"), float("nan")
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_band(
    curve: Callable[[Drawn], Floats],
    patients: Sequence[str],
    *,
    resamples: int = 400,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Give the 95 % interval of every point of a curve, each by itself.

    A point that fewer than half of the draws can tell is NaN.
    """
    drawn = np.array([curve(films) for films in draws(patients, resamples=resamples, seed=seed)])
    seldom = np.isnan(drawn).mean(axis=0) > 0.5
    drawn[:, seldom] = 0.0
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    low[seldom], high[seldom] = np.nan, np.nan
    return low, high


def _ratio(part: float, whole: float) -> float:
    """Divide; NaN where there is nothing to divide by."""
    return part / whole if whole else float("nan")
