"""Probabilities for the share of pneumonia at a site, instead of that of the training films.

Where fewer films show pneumonia than among those that a checkpoint was calibrated on, the same
picture means a lower probability. Log-odds and thresholds move alike, so that the same films are
flagged and the heat stays as it is.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from cxr_app.errors import SettingsError
from cxr_app.evaluation.prior_shift import prior_change, with_change
from cxr_app.model.description import DescribedCheckpoint
from cxr_app.prediction import OperatingPoint

if TYPE_CHECKING:  # what says how to move a threshold need not import torch
    from cxr_app.model.checkpoint import Checkpoint

OFFSET = "offset"
"""Weight of a network that is added to its log-odds of pneumonia."""


def described_at_prevalence(
    source: DescribedCheckpoint, prevalence: float | None
) -> DescribedCheckpoint:
    """Return a checkpoint whose thresholds are for a share of pneumonia; itself for None.

    Parameters
    ----------
    prevalence
        Share of the site's films that show pneumonia, in ``(0, 1)``.

    Raises
    ------
    SettingsError
        If the checkpoint does not say which share its own probabilities are for.
    """
    if prevalence is None:
        return source
    own = source.description.prevalence
    if own is None or OFFSET not in source.weight_names:
        raise SettingsError(
            f"CXR_PREVALENCE is {prevalence:g}, but {source.model_version} does not say for which "
            "share of pneumonia its probabilities are made. Unset CXR_PREVALENCE, or use a "
            "checkpoint of the recipe crop_and_film."
        )
    change = prior_change(own, prevalence)
    points = {
        name: _moved(point, change) for name, point in source.description.operating_points.items()
    }
    description = replace(source.description, operating_points=points, prevalence=prevalence)
    return replace(source, description=description, site_prevalence=(own, prevalence))


def at_prevalence(source: "Checkpoint", prevalence: float | None) -> "Checkpoint":
    """Return a checkpoint whose probabilities, too, are for a share of pneumonia.

    Parameters
    ----------
    prevalence
        As `described_at_prevalence` takes it.

    Raises
    ------
    SettingsError
        As `described_at_prevalence`.
    """
    moved = described_at_prevalence(source.described, prevalence)
    if moved.site_prevalence is None or prevalence is None:
        return source
    change = prior_change(moved.site_prevalence[0], prevalence)
    weights = {**source.weights, OFFSET: source.weights[OFFSET] + change}
    return replace(
        source,
        description=moved.description,
        weights=weights,
        site_prevalence=moved.site_prevalence,
    )


def _moved(point: OperatingPoint, change: float) -> OperatingPoint:
    return replace(point, threshold=float(with_change(point.threshold, change)))
