"""Looks of other films' machines on a crop: tone, sharpness and shading, at random.

A look that came with one class only is put on films of every class in training, so that it says
nothing. All of it works on crops of the lungs, which lie alike on all films.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.data.dataset import Films

QUANTILES = 33
RINGS = 24
SHADING_SIDE = 12
FEWEST_ALIKE = 20
TONED, SHARPENED, SHADED = 0.65, 0.5, 0.6
"""Shares of the films with another look that get its tone, its sharpness and its shading."""

GreyFloats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The looks of training films.

    Parameters
    ----------
    tones
        ``(n, 33)``: quantiles of the grey values of each film's crop.
    spectra
        ``(n, 24)``: logarithm of the mean amplitude by spatial frequency, from low to high.
    groups
        ``(n,)``: number of each film's acquisition group.
    shading
        By group, ``(12, 12)``: how its standardised crops differ from others of the same classes.
    """

    tones: GreyFloats
    spectra: GreyFloats
    groups: NDArray[np.int64]
    shading: Mapping[int, GreyFloats]


def measure_looks(
    crops: Films,
    groups: NDArray[np.int64],
    classes: NDArray[np.int64],
    adults: NDArray[np.bool_],
) -> Looks:
    """Measure the looks of crops ``(n, S, S)``; shading is compared within an age group."""
    rings = _rings(crops.shape[-1]).ravel()
    count = np.bincount(rings, minlength=RINGS)
    window = np.hanning(crops.shape[-1])
    tones, spectra, small = [], [], []
    for crop in crops:
        grey = crop.astype(np.float32) / 255
        tones.append(np.percentile(grey, np.linspace(0, 100, QUANTILES)))
        standard = (grey - grey.mean()) / max(grey.std(), 0.02)
        amplitude = np.abs(np.fft.rfft2(standard * window[:, None] * window)).ravel()
        spectra.append(np.log(np.bincount(rings, amplitude, RINGS) / count + 1e-3))
        tensor = torch.from_numpy(standard)[None]
        small.append(functional.adaptive_avg_pool2d(tensor, SHADING_SIDE)[0].numpy())
    shading = _shading(np.stack(small), groups, classes, adults)
    return Looks(
        np.stack(tones).astype(np.float32), np.stack(spectra).astype(np.float32), groups, shading
    )


def put_on(
    crops: Tensor,
    films: NDArray[np.intp],
    models: NDArray[np.intp],
    looks: Looks,
    generator: torch.Generator,
) -> Tensor:
    """Apply the look of another film to each crop, more or less of it.

    Parameters
    ----------
    crops
        ``(B, 1, S, S)`` in ``[0, 1]``.
    films, models
        Places in `looks` of the crops' own films, and of those whose look they get.
    """
    chance = torch.rand(len(crops), 6, generator=generator).numpy()
    changed = []
    for crop, film, model, drawn in zip(crops, films, models, chance, strict=True):
        grey: GreyFloats = crop[0].numpy()
        if drawn[0] < TONED:
            grey = _with_tone(grey, looks.tones[model], float(drawn[1]))
        if drawn[2] < SHARPENED:
            grey = _with_sharpness(grey, looks.spectra[model] - looks.spectra[film], drawn[3])
        own, other = int(looks.groups[film]), int(looks.groups[model])
        if drawn[4] < SHADED and own != other:
            grey = _with_shading(grey, looks.shading[other] - looks.shading[own], drawn[5])
        changed.append(torch.from_numpy(np.clip(grey, 0, 1).astype(np.float32)))
    return torch.stack(changed)[:, None]


def _with_tone(grey: GreyFloats, tone: GreyFloats, share: float) -> GreyFloats:
    quantiles = np.percentile(grey[::3, ::3], np.linspace(0, 100, QUANTILES))
    own = np.maximum.accumulate(quantiles + np.arange(QUANTILES) * 1e-5)
    return np.interp(grey, own, (1 - share) * own + share * tone).astype(np.float32)


def _with_sharpness(grey: GreyFloats, difference: GreyFloats, share: float) -> GreyFloats:
    """Change the amplitude of all but the lowest frequencies."""
    gain = np.clip(difference, -1.2, 1.2) * share
    gain[:3] = 0
    factor = torch.from_numpy(np.exp(gain).astype(np.float32)[_rings(grey.shape[-1])])
    spectrum = torch.fft.rfft2(torch.from_numpy(grey)) * factor
    sharpened: GreyFloats = torch.fft.irfft2(spectrum, s=grey.shape).numpy()
    return sharpened


def _with_shading(grey: GreyFloats, change: GreyFloats, share: float) -> GreyFloats:
    laid = functional.interpolate(
        torch.from_numpy(change)[None, None], size=grey.shape, mode="bilinear"
    )
    amount = 1.3 * share * max(float(grey.std()), 0.02)
    shaded: GreyFloats = (grey + amount * laid[0, 0].numpy()).astype(np.float32)
    return shaded


def _shading(
    small: GreyFloats,
    groups: NDArray[np.int64],
    classes: NDArray[np.int64],
    adults: NDArray[np.bool_],
) -> dict[int, GreyFloats]:
    shading = {}
    for group in np.unique(groups):
        own = groups == group
        alike = adults == adults[own][0]
        expected = np.zeros((SHADING_SIDE, SHADING_SIDE))
        for target in np.unique(classes[own]):
            others = (classes == target) & ~own & alike
            source = others if others.sum() >= FEWEST_ALIKE else own & (classes == target)
            expected += (classes[own] == target).mean() * small[source].mean(axis=0)
        shading[int(group)] = (small[own].mean(axis=0) - expected).astype(np.float32)
    return shading


def _rings(side: int) -> NDArray[np.int64]:
    """Return the number of the ring of each frequency of ``rfft2`` of a square."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    rings: NDArray[np.int64] = np.minimum((frequency / 0.5 * RINGS).astype(np.int64), RINGS - 1)
    return rings
