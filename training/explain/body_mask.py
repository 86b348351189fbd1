"""The part of a film outside the body, where heat is meaningless."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import Image

SIDE = 128
"""Side of the mask in pixels; enough for the outline of a body."""
SMOOTHING = 1.5
"""Width of the smoothing in pixels, so that grain makes no holes."""
DARK = 0.15
"""Limit for air, as a fraction of the range from the 1st to the 99th percentile of grey."""


def outside_body(image: Image) -> NDArray[np.bool_]:
    """Find the air around the body: dark regions that reach the film's edge.

    Lungs are as dark, but the chest wall separates them from the edge. Cables, letters and other
    bright things count as body, so the share of heat outside is rather too small.

    Returns
    -------
    Boolean array
        Shape ``(SIDE, SIDE)``, over the whole film.
    """
    smooth = ndimage.gaussian_filter(resize_to_square(image, SIDE), SMOOTHING)
    low, high = np.percentile(smooth, (1, 99))
    dark = smooth < low + DARK * (high - low)
    regions, _ = ndimage.label(dark)
    edge = np.concatenate([regions[[0, -1]].ravel(), regions[:, [0, -1]].ravel()])
    found: NDArray[np.bool_] = np.isin(regions, np.setdiff1d(edge, [0]))
    return found
