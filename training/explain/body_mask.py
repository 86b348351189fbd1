"""Where a film shows no body: heat there is heat on nothing."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import Image

SIDE = 128
"""Pixels; the outline of a body needs no more."""
SMOOTHING = 1.5
"""Pixels; so that grain makes no holes."""
DARK = 0.15
"""Of the way from the film's 1st percentile of grey to its 99th: air is darker."""


def outside_body(image: Image) -> NDArray[np.bool_]:
    """Find the air around the body: what is dark and reaches the film's edge.

    Lungs are as dark, but the chest wall stands between them and the edge. Cables, letters and
    whatever else is bright counts as body, so the share of heat outside is rather too small.

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
