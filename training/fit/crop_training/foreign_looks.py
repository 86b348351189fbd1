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
LEAST_STEP = 1e-5
"""From one quantile to the next, so that a film of one grey has a tone curve."""
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
        ``(B, 1, S, S)`` in ``[0, 1]``, on the device of the generator.
    films, models
        Places in `looks` of the crops' own films, and of those whose look they get.
    """
    device = crops.device
    chance = torch.rand(len(crops), 6, generator=generator, device=device)
    own, other = looks.groups[films], looks.groups[models]
    tones = torch.from_numpy(looks.tones[models]).to(device)
    spectra = torch.from_numpy(looks.spectra[models] - looks.spectra[films]).to(device)
    shading = torch.from_numpy(_change_of_shading(looks, own, other)).to(device)
    foreign = torch.from_numpy(own != other).to(device)
    greys = crops[:, 0].clone()
    for chosen, change, looked_at, share in (
        (chance[:, 0] < TONED, _with_tone, tones, chance[:, 1]),
        (chance[:, 2] < SHARPENED, _with_sharpness, spectra, chance[:, 3]),
        ((chance[:, 4] < SHADED) & foreign, _with_shading, shading, chance[:, 5]),
    ):
        places = chosen.nonzero()[:, 0]
        if len(places):
            greys[places] = change(greys[places], looked_at[places], share[places])
    return greys.clamp(0, 1)[:, None]


def _change_of_shading(
    looks: Looks, own: NDArray[np.int64], other: NDArray[np.int64]
) -> GreyFloats:
    pairs = zip(own.tolist(), other.tolist(), strict=True)
    return np.stack([looks.shading[after] - looks.shading[before] for before, after in pairs])


def _with_tone(greys: Tensor, tones: Tensor, share: Tensor) -> Tensor:
    """Move the quantiles of films ``(B, S, S)`` towards others ``(B, 33)``."""
    steps = torch.arange(QUANTILES, device=greys.device)
    levels = steps / (QUANTILES - 1)
    quantiles = torch.quantile(greys[:, ::3, ::3].flatten(1), levels, dim=1).T
    own = (quantiles + steps * LEAST_STEP).cummax(dim=1).values
    wanted = own + share[:, None] * (tones - own)
    flat = greys.flatten(1)
    after = torch.searchsorted(own.contiguous(), flat.contiguous()).clamp(1, QUANTILES - 1)
    low, high = own.gather(1, after - 1), own.gather(1, after)
    part = ((flat - low) / (high - low)).clamp(0, 1)
    before = wanted.gather(1, after - 1)
    return (before + part * (wanted.gather(1, after) - before)).view_as(greys)


def _with_sharpness(greys: Tensor, difference: Tensor, share: Tensor) -> Tensor:
    """Change the amplitude of all but the lowest frequencies."""
    gain = difference.clamp(-1.2, 1.2) * share[:, None]
    gain[:, :3] = 0
    rings = torch.from_numpy(_rings(greys.shape[-1])).to(greys.device)
    spectrum = torch.fft.rfft2(greys) * gain.exp()[:, rings]
    sharpened: Tensor = torch.fft.irfft2(spectrum, s=greys.shape[-2:])
    return sharpened


def _with_shading(greys: Tensor, change: Tensor, share: Tensor) -> Tensor:
    laid = functional.interpolate(change[:, None], size=greys.shape[-2:], mode="bilinear")[:, 0]
    amount = 1.3 * share * greys.std(dim=(1, 2), correction=0).clamp_min(0.02)
    return greys + amount[:, None, None] * laid


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
