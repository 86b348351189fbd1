"""Calibration of the lung-crop network, for children and for adults."""

import numpy as np
from numpy.typing import NDArray

from cxr_app.model.networks.lung_crop import LungCropNetwork
from training.fit.crop_training.adult_figures import UnseenAdults, fit_adults, read_unseen_adults
from training.fit.crop_training.lesson_films import CERTAIN, CHILDREN, NORMAL, FilmTable
from training.fit.crop_training.restyled_films import in_each_look
from training.fit.crop_training.shift_calibration import (
    ShiftedReadings,
    fit_children,
    read_shifted,
)


def calibrate(
    network: LungCropNetwork, table: FilmTable, groups: NDArray[np.int64]
) -> tuple[ShiftedReadings, UnseenAdults]:
    """Set slopes and offsets of a network whose calibration is still the identity.

    Parameters
    ----------
    groups
        ``(n,)``: number of the acquisition group of each film of the table.

    Returns
    -------
    ShiftedReadings, UnseenAdults
        What it was fitted on: the children's tune films, and adults that a member does not know.
    """
    tune = (table.parts == "tune") & (table.sources == CHILDREN) & (table.weights >= CERTAIN)
    restyled = in_each_look(table, groups, np.flatnonzero(tune))
    shifted = read_shifted(network, table.pixels[tune], restyled, table.targets[tune] > NORMAL)
    unseen = read_unseen_adults(network, table)
    children = fit_children(shifted)
    # Without adults to measure, their calibration is that of children.
    every = np.ones(len(unseen.places), bool)
    adults = fit_adults(unseen, every) if unseen.can_be_fitted else children
    for population, (slope, offset) in enumerate((children, adults)):
        network.slope[population] = slope
        network.offset[population] = offset
    return shifted, unseen
