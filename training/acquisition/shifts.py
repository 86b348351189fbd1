"""Acquisition shifts: what another machine, workstation or export does to a film.

The published test films differ from the training films in such ways. Each shift takes a film of
any size with greys in ``[0, 1]`` and returns a film; lengths are in pixels of a film of
`fingerprint.SIDE`, so that a large film is changed as its small copy is.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PIL import Image as PillowImage
from scipy import ndimage

from cxr_app.radiograph import Image
from training.acquisition.fingerprint import SIDE

Shift = Callable[[Image], Image]

USUAL_ASPECT = 1.35
"""Width by height of a film that was squeezed to a square: its own is unknown."""


def blurred(image: Image, *, pixels: float) -> Image:
    """Blur with a Gaussian of the given standard deviation."""
    sigma = [pixels * side / SIDE for side in image.shape]
    soft: Image = ndimage.gaussian_filter(image, sigma, mode="nearest")
    return soft.clip(0, 1)


def sharpened(image: Image, *, amount: float) -> Image:
    """Add a multiple of the difference to a blurred film (unsharp mask)."""
    sharp: Image = image + np.float32(amount) * (image - blurred(image, pixels=1.0))
    return sharp.clip(0, 1)


def with_gamma(image: Image, *, gamma: float) -> Image:
    """Raise the greys to a power: above 1 darkens."""
    toned: Image = image.clip(0, 1) ** np.float32(gamma)
    return toned


def at_half_resolution(image: Image) -> Image:
    """Reduce to half of `SIDE` and enlarge again."""
    small = _resized(image, (SIDE // 2, SIDE // 2))
    return _resized(small, image.shape)


def cropped(image: Image, *, aspect: float) -> Image:
    """Crop rows at the top and foot until the film has this width by height, at most a quarter.

    A square film is taken for a squeezed one of `USUAL_ASPECT` and stays square.
    """
    rows, columns = image.shape
    here = columns / rows if rows != columns else USUAL_ASPECT
    kept = min(1.0, max(0.75, here / aspect))
    cut = round(rows * (1 - kept) / 2)
    part = image[cut : rows - cut]
    return _resized(part, image.shape) if rows == columns else np.ascontiguousarray(part)


def noisy(image: Image, *, deviation: float, seed: int = 0) -> Image:
    """Add grain of `SIDE` pixels; the same film gets the same grain."""
    grain = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)
    spread = grain if image.shape == grain.shape else _resized(grain, image.shape)
    grained: Image = image + np.float32(deviation) * spread
    return grained.clip(0, 1)


def _resized(image: Image, shape: tuple[int, ...]) -> Image:
    """Resize with antialiasing."""
    film = PillowImage.fromarray(np.ascontiguousarray(image, dtype=np.float32), mode="F")
    size = (shape[1], shape[0])
    return np.asarray(film.resize(size, PillowImage.Resampling.BILINEAR), dtype=np.float32)


SHIFTS: Mapping[str, Shift] = {
    "blur 0.5 px": partial(blurred, pixels=0.5),
    "blur 1 px": partial(blurred, pixels=1.0),
    "blur 1.5 px": partial(blurred, pixels=1.5),
    "sharpened": partial(sharpened, amount=1.0),
    "gamma 0.7": partial(with_gamma, gamma=0.7),
    "gamma 1.4": partial(with_gamma, gamma=1.4),
    "half resolution": at_half_resolution,
    "border crop to aspect 1.5": partial(cropped, aspect=1.5),
    "noise": partial(noisy, deviation=0.03),
}
"""What must not move a score much: the worst of these is reported."""
