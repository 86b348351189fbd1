"""Intervals that do not vanish: where a bootstrap has no spread, the exact binomial speaks.

Drawing patients again and again from forty who were all judged rightly says 1.000 (1.000 to
1.000). Forty of forty are compatible with a true share of 0.91, which is what is reported: one
patient counts as one observation, however many films there are, so the interval errs on the wide
side. Place: beside `metrics`, and used wherever a share, an area or a difference of two is shown.

References
----------
Clopper and Pearson 1934.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cxr_app.evaluation.metrics import Booleans, Drawn, Floats, bootstrap_interval

Figure = Callable[[Floats, Booleans], float]
"""A share or an area: takes probabilities and the truth, each ``(n,)``; NaN if undefined."""

TAIL = 0.025
"""Probability beyond each end of a 95 % interval."""


def clopper_pearson(part: float, whole: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a share; the whole range where there is no observation."""
    if not whole > 0:
        return 0.0, 1.0
    from scipy.special import betaincinv  # here, for a server need not wait for it when it starts

    low = float(betaincinv(part, whole - part + 1, TAIL)) if part > 0 else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - TAIL)) if part < whole else 1.0
    return low, high


def figure_interval(
    figure: Figure,
    probabilities: Floats,
    truth: Booleans,
    patients: Sequence[str],
    *,
    deciding: Booleans | None = None,
) -> tuple[float, float]:
    """Return the 95 % interval of a share or an area.

    By drawing patients; if no draw differs from the next, by `clopper_pearson` on the patients who
    decide the figure.

    Parameters
    ----------
    figure
        Of probabilities and truth, in ``[0, 1]``.
    patients
        Of each film.
    deciding
        The films that the figure is a share of; those of `deciding_patients` if left out.
    """
    low, high = bootstrap_interval(
        lambda drawn: figure(probabilities[drawn], truth[drawn]),
        patients,
    )
    if math.isnan(low) or low < high:
        return low, high
    if deciding is None:
        count = deciding_patients(figure, probabilities, truth, patients)
    else:
        count = len(np.unique(np.asarray(patients)[deciding]))
    return clopper_pearson(low * count, count)


def deciding_patients(
    figure: Figure, probabilities: Floats, truth: Booleans, patients: Sequence[str]
) -> int:
    """Count the patients on whom a figure depends.

    Those with pneumonia for a sensitivity, those without for a specificity, all for an accuracy,
    and the rarer class for an area, which needs both.
    """
    of = np.asarray(patients)
    classes = (truth, ~truth)
    defined = [
        part.any() and not math.isnan(figure(probabilities[part], truth[part])) for part in classes
    ]
    counts = [len(np.unique(of[part])) for part in classes]
    if all(defined):
        return len(np.unique(of))
    return counts[defined.index(True)] if any(defined) else min(counts)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A difference of two models' figures on the same films.

    Parameters
    ----------
    value, low, high
        The difference and its 95 % interval.
    differs
        Whether the difference varies at all between draws of patients.
    """

    value: float
    low: float
    high: float
    differs: bool

    @property
    def ci95(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    def remark(self) -> str:
        """Return a sentence for a rule that needs a difference; empty if there is one."""
        if self.differs or math.isnan(self.value):
            return ""
        return (
            "No film differs between the two models: these films show no difference, and can "
            f"exclude none smaller than {self.high - self.value:.3f}."
        )


def paired_difference(
    difference: Callable[[Drawn | slice], float],
    patients: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> PairedDifference:
    """Return a difference with its 95 % interval by drawing patients.

    If no film differs, the interval reaches as far as the share of differing patients may reach
    when none of these patients does.

    Parameters
    ----------
    difference
        Takes places in the list of films, repeats included, or all films as a slice.
    patients
        Of the films that decide the figure.
    """
    value = difference(slice(None))
    low, high = bootstrap_interval(difference, patients, resamples=resamples, seed=seed)
    if math.isnan(low) or low < high:
        return PairedDifference(value, low, high, differs=True)
    _, reach = clopper_pearson(0, len(set(patients)))
    return PairedDifference(value, max(-1.0, value - reach), min(1.0, value + reach), differs=False)


def auroc_difference_reach(films: int, auroc: float = 0.97, correlation: float = 0.5) -> float:
    """Return how far a 95 % interval of the difference of two AUROCs is expected to reach.

    Parameters
    ----------
    films
        On which both models are measured, half of them with pneumonia; at least 2.
    auroc
        Of both models, in ``(0.5, 1)``.
    correlation
        Between both AUROCs, which are measured on the same films.

    References
    ----------
    Hanley and McNeil, Radiology 143, 1982 (variance), and Radiology 148, 1983 (correlation).
    """
    each = films / 2
    above, below = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    spread = (each - 1) * (above - auroc**2 + below - auroc**2)
    variance = (auroc * (1 - auroc) + spread) / each**2
    from scipy.special import ndtri  # as above

    return float(ndtri(1 - TAIL)) * math.sqrt(2 * (1 - correlation) * variance)
