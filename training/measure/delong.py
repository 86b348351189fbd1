"""DeLong's test: whether two areas under the ROC curve on the same films differ.

The test treats films as independent. Films of one child are not, so its interval is too narrow if
children have several films; `paired` adds the interval by drawing patients.

References
----------
DeLong, DeLong and Clarke-Pearson 1988; Sun and Xu 2014 (the fast algorithm).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from cxr_app.evaluation.metrics import Booleans, Floats


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two areas on the same films, and the uncertainty of their difference.

    Parameters
    ----------
    auroc, other_auroc
        The two areas; the difference is the first minus the second.
    standard_error
        Of the difference; NaN if a class has fewer than two films.
    """

    auroc: float
    other_auroc: float
    standard_error: float

    @property
    def difference(self) -> float:
        """The first area minus the second."""
        return self.auroc - self.other_auroc

    @property
    def p_value(self) -> float:
        """Two-sided p-value; 1 if both order all pairs of films alike."""
        if self.standard_error == 0:
            return 1.0 if self.difference == 0 else 0.0
        return float(2 * norm.sf(abs(self.difference) / self.standard_error))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference, by the normal distribution."""
        reach = float(norm.ppf(0.975)) * self.standard_error
        return self.difference - reach, self.difference + reach


def compare_areas(scores: Floats, others: Floats, positive: Booleans) -> PairedTest:
    """Test two scores of the same films against each other.

    Parameters
    ----------
    scores, others
        Shape ``(n,)``, the films in the same order.
    positive
        Which films are positive, shape ``(n,)``.
    """
    areas, covariance = areas_and_covariance(np.stack([scores, others]), positive)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = math.nan if math.isnan(variance) else math.sqrt(max(0.0, float(variance)))
    return PairedTest(float(areas[0]), float(areas[1]), error)


def areas_and_covariance(scores: Floats, positive: Booleans) -> tuple[Floats, Floats]:
    """Compute the areas of several scores, with their covariance.

    Parameters
    ----------
    scores
        Shape ``(k, n)``.
    positive
        Shape ``(n,)``.

    Returns
    -------
    areas, covariance
        Shapes ``(k,)`` and ``(k, k)``; NaN if a class has fewer than two films.
    """
    k, m, n = len(scores), int(positive.sum()), int((~positive).sum())
    if min(m, n) < 2:
        return np.full(k, np.nan), np.full((k, k), np.nan)
    among_all = rankdata(scores, axis=1)
    among_positives = rankdata(scores[:, positive], axis=1)
    among_negatives = rankdata(scores[:, ~positive], axis=1)
    # Each positive: share of negatives below it. Each negative: share of positives above it.
    below = (among_all[:, positive] - among_positives) / n  # (k, m)
    above = 1 - (among_all[:, ~positive] - among_negatives) / m  # (k, n)
    covariance = np.atleast_2d(np.cov(below)) / m + np.atleast_2d(np.cov(above)) / n
    return below.mean(axis=1), covariance
