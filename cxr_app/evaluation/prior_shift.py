"""Probabilities of the same films where another share of them shows pneumonia.

References
----------
Saerens, Latinne and Decaestecker 2002.
"""

import numpy as np

from cxr_app.evaluation.metrics import Floats


def prior_change(own: float, site: float) -> float:
    """Return what is added to log-odds when the share of pneumonia changes from `own` to `site`."""
    from scipy.special import logit  # here, for its import takes a tenth of a second

    return float(logit(site) - logit(own))


def with_change(probabilities: Floats | float, change: float) -> Floats:
    """Return probabilities, in ``[0, 1]``, after a change of their log-odds."""
    from scipy.special import expit, logit

    return np.asarray(expit(logit(probabilities) + change))
