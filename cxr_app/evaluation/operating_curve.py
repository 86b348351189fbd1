"""Performance of a checkpoint at any threshold and prevalence, from labelled films.

Nothing here chooses or changes a threshold; it shows the consequences of another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.metrics import (
    ECE_BINS,
    Booleans,
    Confusion,
    Estimate,
    Floats,
    auroc,
    bins_of,
    bootstrap_band,
    bootstrap_interval,
    confusion,
    draws,
    expected_calibration_error,
    predictive_values,
    roc,
    wilson_interval,
)
from cxr_app.evaluation.reference_scores import GROUPINGS, FilmScores

FEWEST = 30
"""Films of a class; with fewer, a figure's interval is so wide that the figure misleads."""


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What flagging at one threshold means on these films; shares are NaN without films."""

    threshold: float
    counts: Confusion
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True, slots=True)
class AtPrevalence:
    """What flagging means at a given prevalence, if nothing else is different."""

    ppv: Estimate
    npv: Estimate
    alerts_a_day: Estimate


@dataclass(frozen=True, slots=True)
class Bin:
    """Films of about the same probability: predicted and observed share of pneumonia."""

    films: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of some of the films; None if they are too few."""

    by: str
    name: str
    with_pneumonia: int
    without_pneumonia: int
    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """Films with a known truth, drawn again and again by patient, ready for any threshold.

    Parameters
    ----------
    scores
        The films.
    drawn
        How often each film is in each draw, ``(draws, n)``.
    auroc, calibration_error
        Of these films.
    roc, roc_low, roc_high
        Sensitivity at each share of false alarms of `metrics.GRID`, with its pointwise 95 % band.
    """

    scores: FilmScores
    drawn: Floats
    auroc: Estimate
    calibration_error: Estimate
    roc: Floats
    roc_low: Floats
    roc_high: Floats

    @classmethod
    def of(cls, scores: FilmScores) -> Self:
        """Compute what does not depend on a threshold; takes about a second."""
        pneumonia, truth = scores.pneumonia, scores.truth
        patients = [str(patient) for patient in scores.patients]
        area = bootstrap_interval(lambda i: auroc(pneumonia[i], truth[i]), patients)
        error = bootstrap_interval(
            lambda i: expected_calibration_error(pneumonia[i], truth[i]), patients
        )
        low, high = bootstrap_band(lambda i: roc(pneumonia[i], truth[i]), patients)
        return cls(
            scores,
            np.array([np.bincount(i, minlength=len(truth)) for i in draws(patients)], np.float64),
            Estimate(auroc(pneumonia, truth), *area),
            Estimate(expected_calibration_error(pneumonia, truth), *error),
            roc(pneumonia, truth),
            low,
            high,
        )

    def at(self, threshold: float) -> AtThreshold:
        """Return what flagging at a threshold means; a film at the threshold is flagged."""
        pneumonia, truth = self.scores.pneumonia, self.scores.truth
        flagged = pneumonia >= threshold
        return AtThreshold(
            threshold,
            confusion(pneumonia, truth, threshold),
            self._share(flagged, truth),
            self._share(~flagged, ~truth),
        )

    def at_prevalence(
        self, threshold: float, prevalence: float, films_a_day: float
    ) -> AtPrevalence:
        """Return what flagging would mean at another prevalence.

        Sensitivity and specificity are assumed to be the same there, which is not certain. The
        intervals hold what these films leave open, not what another place changes.
        """
        here = self.at(threshold)
        sensitivity, specificity = self._both_drawn(here)

        def alerts(sensitivity: Floats, specificity: Floats) -> Floats:
            flagged = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
            return films_a_day * flagged

        def estimate(value: float, drawn: Floats) -> Estimate:
            return Estimate(value, *_interval(drawn))

        values = predictive_values(here.sensitivity.value, here.specificity.value, prevalence)
        pairs = zip(sensitivity, specificity, strict=True)
        drawn = np.array([predictive_values(*pair, prevalence) for pair in pairs])
        usual = alerts(np.array(here.sensitivity.value), np.array(here.specificity.value))
        return AtPrevalence(
            estimate(values[0], drawn[:, 0]),
            estimate(values[1], drawn[:, 1]),
            estimate(float(usual), alerts(sensitivity, specificity)),
        )

    def reliability(self) -> list[Bin]:
        """Return predicted against observed pneumonia for every bin that has films."""
        pneumonia, truth = self.scores.pneumonia, self.scores.truth
        bins = bins_of(pneumonia)
        found = []
        for number in range(ECE_BINS):
            films = int(np.sum(bins == number))
            if films:
                positives = int(truth[bins == number].sum())
                observed = Estimate(positives / films, *wilson_interval(positives, films))
                found.append(Bin(films, float(pneumonia[bins == number].mean()), observed))
        return found

    def groups(self, threshold: float) -> list[Group]:
        """Measure all films and each group that these films have, as far as it has films for.

        A group of fewer than `FEWEST` films of a class has no figure of that class. A cause has
        no specificity of its own: films without pneumonia have no cause.
        """
        flagged = self.scores.pneumonia >= threshold
        return [self._group(by, name, chosen, flagged) for by, name, chosen in self._chosen()]

    def _chosen(self) -> Iterator[tuple[str, str, Booleans]]:
        """Yield every group: grouping, name and films."""
        truth = self.scores.truth
        yield "", "all films", np.ones(len(truth), dtype=bool)
        causes = np.array(self.scores.causes)
        for cause in ("bacterial", "viral"):
            if (causes == cause).any():
                yield "cause", cause, (causes == cause) & truth
        for by in GROUPINGS:
            values = np.array(self.scores.groups.get(by, ()))
            for value in sorted(set(values.tolist()) - {""}):
                yield by, value, values == value

    def _group(self, by: str, name: str, chosen: Booleans, flagged: Booleans) -> Group:
        """Measure one group."""
        positive, negative = self.scores.truth & chosen, ~self.scores.truth & chosen
        enough = [int(films.sum()) >= FEWEST for films in (positive, negative)]
        return Group(
            by,
            name,
            int(positive.sum()),
            int(negative.sum()),
            self._share(flagged, positive) if enough[0] else None,
            self._share(~flagged, negative) if enough[1] else None,
        )

    def _share(self, right: Booleans, of: Booleans) -> Estimate:
        """Return the share of some films that are right, and its interval by drawing patients.

        If all of them or none are right, every draw agrees and the spread is wrongly zero:
        Wilson's interval on the number of patients is used there.
        """
        whole, part = int(of.sum()), int((right & of).sum())
        if not whole:
            return Estimate(np.nan, np.nan, np.nan)
        if part in (0, whole):
            patients = len(np.unique(self.scores.patients[of]))
            return Estimate(part / whole, *wilson_interval(patients if part else 0, patients))
        return Estimate(part / whole, *_interval(self._shares_drawn(right, of)))

    def _shares_drawn(self, right: Booleans, of: Booleans) -> Floats:
        """Return that share in every draw; NaN for a draw without such films."""
        with np.errstate(invalid="ignore"):
            shares: Floats = (self.drawn @ (right & of)) / (self.drawn @ of)
        return shares

    def _both_drawn(self, here: AtThreshold) -> tuple[Floats, Floats]:
        """Return sensitivity and specificity in every draw.

        A share that no draw can vary takes the ends of its interval in turn, each end of one with
        each of the other, so that what follows from it is not surer than it is.
        """
        flagged, truth = self.scores.pneumonia >= here.threshold, self.scores.truth
        sensitivity = self._shares_drawn(flagged, truth)
        specificity = self._shares_drawn(~flagged, ~truth)
        if (ends := here.sensitivity).value in (0.0, 1.0):
            sensitivity = np.resize((ends.low, ends.high), len(self.drawn))
        if (ends := here.specificity).value in (0.0, 1.0):
            specificity = np.resize((ends.low, ends.low, ends.high, ends.high), len(self.drawn))
        return sensitivity, specificity


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval that holds 95 % of the defined values."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)
