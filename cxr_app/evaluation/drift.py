"""How far scores have moved from a reference: PSI and KS distance, with intervals."""

import numpy as np

from cxr_app.evaluation.metrics import Estimate, Floats

BINS = 10
"""Number of bins of the PSI: tenths of the reference."""
HALF_A_FILM = 0.5
"""Added to each bin, so that an empty one has a logarithm."""
TAIL = 0.025


def population_stability(reference: Floats, scores: Floats) -> Estimate:
    """Return the population stability index of scores against a reference.

    The index of few films is far from 0 even if nothing has changed: its mean is then about
    ``(bins - 1) * (1 / n + 1 / m)``, which is subtracted. Divided by ``1 / n + 1 / m`` it follows a
    noncentral chi-squared distribution, from which the 95 % interval is; where scores agree better
    than by chance, its upper end is that of scores which agree as by chance.

    Parameters
    ----------
    reference, scores
        Probabilities of pneumonia, ``(m,)`` and ``(n,)``; at least one each.

    Returns
    -------
    Estimate
        At least 0; below 0.1 is usually called no change, above 0.25 a large one.

    References
    ----------
    Yurdakul and Naranjo, Journal of Risk Model Validation 14, 2020.
    """
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    expected, found = (_shares(edges, each) for each in (reference, scores))
    index = float(np.sum((found - expected) * np.log(found / expected)))
    scale = 1 / len(reference) + 1 / len(scores)
    degrees = len(edges)
    observed = index / scale
    low = scale * _noncentrality(observed, degrees, 1 - TAIL)
    high = scale * _noncentrality(max(observed, degrees), degrees, TAIL)
    value = min(max(index - degrees * scale, low), high)
    return Estimate(value, low, high)


def kolmogorov_smirnov(reference: Floats, scores: Floats) -> Estimate:
    """Return the largest distance of the two distribution functions, in ``[0, 1]``.

    The 95 % interval reaches as far as the distance of two samples of the same films would.

    Parameters
    ----------
    reference, scores
        Probabilities of pneumonia, ``(m,)`` and ``(n,)``; at least one each.

    References
    ----------
    Smirnov 1939.
    """
    from scipy.special import kolmogi  # here, for a server need not wait for it when it starts
    from scipy.stats import ks_2samp  # as above

    value = float(ks_2samp(reference, scores, method="asymp").statistic)
    reach = float(kolmogi(2 * TAIL)) * float(np.sqrt(1 / len(reference) + 1 / len(scores)))
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))


def _shares(edges: Floats, scores: Floats) -> Floats:
    """Return the share of scores in each bin, an edge being in the bin below it."""
    counts = np.bincount(np.searchsorted(edges, scores), minlength=len(edges) + 1)
    return np.asarray((counts + HALF_A_FILM) / (len(scores) + HALF_A_FILM * len(counts)))


def _noncentrality(observed: float, degrees: int, share: float) -> float:
    """Return the noncentrality at which a value up to `observed` has this probability, or 0."""
    from scipy.special import chdtr, chndtr  # as above

    if chdtr(degrees, observed) <= share:
        return 0.0
    from scipy.optimize import brentq  # as above

    upper = observed + 40 * np.sqrt(observed + degrees)
    return float(brentq(lambda centre: chndtr(observed, degrees, centre) - share, 1e-9, upper))
