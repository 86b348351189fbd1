"""Calibration and operating points of the lung-crop network, under shifts and in other looks.

Fitted on tune films as they are and as other machines would show them, so that probabilities and
thresholds survive a change of machine better than those fitted on films like the training films.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from cxr_app.evaluation.metrics import Floats
from cxr_app.lung_fields import LungFields
from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.prediction import HeatScale, OperatingPoint
from training.acquisition.shifts import SHIFTS, Shift
from training.data.dataset import Films

PREVALENCE = 0.65
"""Share of pneumonia that probabilities are made for, of children and of adults."""
SENSITIVITY = {"balanced": 0.97, "high_sensitivity": 0.985}
"""Reached on the children's tune films, as they are, shifted and in other looks.

A lower threshold would seem to cost next to nothing on these films; but films of other machines
score higher, with pneumonia or without (the published test films did with each network before).
"""
AS_THEY_ARE = 0.5
"""Weight of the tune films as they are; acquisition shifts and looks share the rest."""
SLOPE_PRIOR = 0.002
BLANK_SHARE = 0.95
"""Share of the tune films without pneumonia that show no heat anywhere."""
BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What a network says of films.

    Parameters
    ----------
    log_odds, adult
        ``(n,)``: calibrated log-odds of pneumonia; probability of an adult.
    peaks, peak_places
        ``(n,)``: largest evidence of a cell; ``(n, 2)``: x and y of its middle, as fractions of the
        film.
    probabilities
        ``(n, 3)``.
    cells
        ``(n, h, w)``: evidence of each cell.
    lungs
        One a film.
    """

    log_odds: Floats
    adult: Floats
    peaks: Floats
    peak_places: Floats
    probabilities: Floats
    cells: NDArray[np.float32]
    lungs: Sequence[LungFields]

    @classmethod
    def joined(cls, parts: Sequence["Readings"]) -> Self:
        """Return one reading after another; of none, one of no films."""
        none = np.empty(0)
        side = parts[0].cells.shape[1:] if parts else (0, 0)
        cells = np.empty((0, *side), np.float32)
        nothing = cls(none, none, none, np.empty((0, 2)), np.empty((0, 3)), cells, lungs=())
        parts = [nothing, *parts]
        return cls(
            log_odds=np.concatenate([part.log_odds for part in parts]),
            adult=np.concatenate([part.adult for part in parts]),
            peaks=np.concatenate([part.peaks for part in parts]),
            peak_places=np.concatenate([part.peak_places for part in parts]),
            probabilities=np.concatenate([part.probabilities for part in parts]),
            cells=np.concatenate([part.cells for part in parts]),
            lungs=[lungs for part in parts for lungs in part.lungs],
        )


def read_films(network: LungCropNetwork, films: Films, shift: Shift | None = None) -> Readings:
    """Read films ``(n, 224, 224)`` as they are, or shifted."""
    parts = []
    for start in range(0, len(films), BATCH):
        part = films[start : start + BATCH].astype(np.float32) / 255
        if shift is not None:
            part = np.stack([shift(film) for film in part])
        with torch.inference_mode():
            reading = network.read(torch.from_numpy(part)[:, None])
        peaks, cells = reading.evidence.flatten(1).double().max(dim=1)
        side = reading.evidence.shape[-1]
        parts.append(
            Readings(
                log_odds=torch.logsumexp(reading.logits[:, 1:], dim=1).double().numpy(),
                adult=reading.adult.double().numpy(),
                peaks=peaks.numpy(),
                peak_places=(torch.stack([cells % side, cells // side], dim=1).numpy() + 0.5)
                / side,
                probabilities=reading.logits.double().softmax(dim=1).numpy(),
                cells=reading.evidence.float().numpy(),
                lungs=reading.lungs,
            )
        )
    return Readings.joined(parts)


@dataclass(frozen=True, slots=True, eq=False)
class ShiftedReadings:
    """What a network says of the children's tune films, as they are, shifted, and in other looks.

    Parameters
    ----------
    log_odds, adult
        ``(1 + shifts and looks, n)``, first the films as they are; log-odds before calibration.
    sick
        ``(n,)``.
    """

    log_odds: Floats
    adult: Floats
    sick: NDArray[np.bool_]

    @property
    def weights(self) -> Floats:
        """Weight of each reading, ``(1 + shifts and looks, n)``; 1 in all for a film."""
        shifts = len(self.log_odds) - 1
        rows = np.array([AS_THEY_ARE, *[(1 - AS_THEY_ARE) / shifts] * shifts])
        return np.tile(rows[:, None], (1, len(self.sick)))


def read_shifted(
    network: LungCropNetwork, films: Films, restyled: Iterable[Films], sick: NDArray[np.bool_]
) -> ShiftedReadings:
    """Read films as they are, under every acquisition shift, and in other looks.

    Parameters
    ----------
    films
        ``(n, 224, 224)``.
    restyled
        The same films in one look after another.
    sick
        ``(n,)``.
    """
    readings = [read_films(network, films, shift) for shift in (None, *SHIFTS.values())]
    readings += [read_films(network, each) for each in restyled]
    return ShiftedReadings(
        np.stack([each.log_odds for each in readings]),
        np.stack([each.adult for each in readings]),
        sick,
    )


def choose_points(network: LungCropNetwork, shifted: ShiftedReadings) -> dict[str, OperatingPoint]:
    """Choose operating points for the calibrated network.

    A threshold flags at least the wanted share of sick films, half of them as they are and half
    shifted, and no more than it must. A point carries the sensitivity and the specificity of films
    as they are.
    """
    log_odds = network.calibrate(
        torch.from_numpy(shifted.log_odds).float(), torch.from_numpy(shifted.adult).float()
    )
    probabilities = log_odds.sigmoid().double().numpy()
    sick, points = shifted.sick, {}
    for name, sensitivity in SENSITIVITY.items():
        threshold = _lowest_of(
            probabilities[:, sick].ravel(), shifted.weights[:, sick].ravel(), sensitivity
        )
        flagged = probabilities[0] >= threshold
        points[name] = OperatingPoint(
            name="balanced" if name == "balanced" else "high_sensitivity",
            threshold=threshold,
            sensitivity=float(flagged[sick].mean()),
            specificity=float((~flagged[~sick]).mean()),
        )
    return points


def _lowest_of(probabilities: Floats, weights: Floats, share: float) -> float:
    """Return the lowest of the largest probabilities that have a share of all weight."""
    order = np.argsort(probabilities)[::-1]
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(probabilities[order[np.searchsorted(reached, share - 1e-9)]])


def heat_scale(readings: Readings, sick: NDArray[np.bool_], threshold: float) -> HeatScale:
    """Set where heat begins and where it is full, in log-odds above the operating point."""
    bar = np.log(threshold / (1 - threshold))
    begin = float(np.quantile(readings.peaks[~sick], BLANK_SHARE) - bar)
    full = float(np.median(readings.peaks[sick]) - bar)
    return HeatScale(begin=begin, full=max(full, begin + 1.0))


def fit_log_odds(log_odds: Floats, sick: NDArray[np.bool_], weight: Floats) -> tuple[float, float]:
    """Fit slope and offset by maximum likelihood; the slope stays near 1 (Platt 1999)."""

    def loss(parameters: Floats) -> float:
        fitted = np.exp(parameters[0]) * log_odds + parameters[1]
        losses = weight * (np.logaddexp(0, fitted) - sick * fitted)
        return float(losses.sum() / weight.sum() + SLOPE_PRIOR * parameters[0] ** 2)

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])


def fit_children(shifted: ShiftedReadings) -> tuple[float, float]:
    """Fit slope and offset of children's log-odds, for a share `PREVALENCE` of pneumonia."""
    sick, count = shifted.sick, len(shifted.log_odds)
    weights = shifted.weights * prevalence_weights(sick)
    return fit_log_odds(shifted.log_odds.ravel(), np.tile(sick, count), weights.ravel())


def prevalence_weights(sick: NDArray[np.bool_]) -> Floats:
    """Return what each film counts if a share `PREVALENCE` of them were to have pneumonia."""
    share = sick.mean()
    weights: Floats = np.where(sick, PREVALENCE / share, (1 - PREVALENCE) / (1 - share))
    return weights
