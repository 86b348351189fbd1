"""Performance figures of probabilities, with intervals that allow for repeated patients."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Drawn = NDArray[np.intp]
"""Indices into a list of films, repeats included."""

ECE_BINS = 15
GRID: Floats = np.linspace(0, 1, 101)
"""Shares of false alarms at which curves and their bands are computed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN if undefined."""

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
    """Return the area under the ROC curve; NaN if a class or a probability is missing.

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
    """Return the sensitivity at each share of false alarms; NaN if a class is missing.

    If several thresholds have the same share, the best of them counts: the curve is a staircase.
    A film is flagged only above every film that must not be, so ties cost sensitivity.
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
    """Return PPV and NPV if `prevalence` of the films have pneumonia, by Bayes' rule.

    Sensitivity and specificity are assumed to be the same there, which is not certain.
    """
    found, missed = sensitivity * prevalence, (1 - sensitivity) * prevalence
    alarms, cleared = (1 - specificity) * (1 - prevalence), specificity * (1 - prevalence)
    return _ratio(found, found + alarms), _ratio(cleared, cleared + missed)


def bins_of(probabilities: Floats) -> NDArray[np.int_]:
    """Return the bin of each probability, out of `ECE_BINS` of equal width."""
    bins: NDArray[np.int_] = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    return bins


def expected_calibration_error(probabilities: Floats, pneumonia: Booleans) -> float:
    """Return the mean gap between probability and share of pneumonia over 15 equal-width bins.

    References
    ----------
    Naeini et al. 2015; Guo et al. 2017, eq. 3 (here on the probability of pneumonia).
    """
    bins = bins_of(probabilities)
    sums = np.bincount(bins, weights=probabilities - pneumonia, minlength=ECE_BINS)
    return float(np.abs(sums).sum() / len(probabilities))


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share; the whole range if there is nothing to divide by.

    References
    ----------
    Wilson 1927.
    """
    # Here and not above: it takes most of a second, which every program would wait for.
    from scipy.stats import binomtest

    if not whole:
        return 0.0, 1.0
    interval = binomtest(part, whole).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def draws(patients: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> Iterator[Drawn]:
    """Yield bootstrap samples: patients drawn with repeats, each with all films.

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
    """Return the 95 % interval of a statistic, drawing patients with all their films.

    Parameters
    ----------
    statistic
        Takes indices into the list of films, repeats included.
    patients
        Of each film.

    References
    ----------
    Efron and Tibshirani 1993, percentile method.
    """
    drawn = [statistic(films) for films in draws(patients, resamples=resamples, seed=seed)]
    defined = [value for value in drawn if not math.isnan(value)]
    if not defined:
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_band(
    curve: Callable[[Drawn], Floats],
    patients: Sequence[str],
    *,
    resamples: int = 400,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Return the pointwise 95 % interval of a curve.

    A point that is defined in fewer than half of the draws is NaN.
    """
    drawn = np.array([curve(films) for films in draws(patients, resamples=resamples, seed=seed)])
    seldom = np.isnan(drawn).mean(axis=0) > 0.5
    drawn[:, seldom] = 0.0
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    low[seldom], high[seldom] = np.nan, np.nan
    return low, high


def _ratio(part: float, whole: float) -> float:
    """Divide; NaN if there is nothing to divide by."""
    return part / whole if whole else float("nan")
