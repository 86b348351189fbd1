"""Calibration and operating points hold on films as they are and as other machines show them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cxr_app.model.networks.lung_crop import LungCropNetwork
from training.fit.crop_training.shift_calibration import (
    PREVALENCE,
    SENSITIVITY,
    ShiftedReadings,
    choose_points,
    fit_children,
    fit_log_odds,
)


def readings(
    seed: int = 0, count: int = 400, shifts: int = 3, loss: float = 1.0
) -> ShiftedReadings:
    """Draw log-odds; every shift makes sick films look healthier by as much again."""
    chance = np.random.default_rng(seed)
    sick = np.arange(count) % 4 > 0
    plain = np.where(sick, 2.0, -2.0) + chance.normal(0, 1.0, count)
    log_odds = np.stack([plain - loss * number * sick for number in range(shifts + 1)])
    return ShiftedReadings(log_odds, np.zeros_like(log_odds), sick)


@pytest.fixture(scope="module")
def network() -> LungCropNetwork:
    return LungCropNetwork().eval()


def shares(said: NDArray[np.float64], shifted: ShiftedReadings, threshold: float) -> float:
    """Return the weighted share of sick films that are flagged."""
    flagged = 1 / (1 + np.exp(-said[:, shifted.sick])) >= threshold - 1e-6
    weights = shifted.weights[:, shifted.sick]
    return float((weights * flagged).sum() / weights.sum())


@given(seed=st.integers(0, 1000), loss=st.floats(0, 2))
def test_a_point_reaches_its_share_of_plain_and_shifted_films_and_no_more(
    network: LungCropNetwork, seed: int, loss: float
) -> None:
    shifted = readings(seed, loss=loss)
    points = choose_points(network, shifted)
    for name, wanted in SENSITIVITY.items():
        assert shares(shifted.log_odds, shifted, points[name].threshold) >= wanted - 1e-6
        above = points[name].threshold + 2e-6  # `shares` allows for half of it
        assert shares(shifted.log_odds, shifted, above) < wanted


def test_a_shift_that_hides_pneumonia_lowers_the_threshold(network: LungCropNetwork) -> None:
    steady, unsteady = (choose_points(network, readings(loss=loss)) for loss in (0.0, 1.5))
    assert unsteady["balanced"].threshold < steady["balanced"].threshold
    assert unsteady["balanced"].sensitivity > steady["balanced"].sensitivity


@given(slope=st.floats(0.6, 1.6), offset=st.floats(-1, 1))
def test_a_fit_finds_the_slope_and_offset_of_a_model_that_is_off(
    slope: float, offset: float
) -> None:
    chance = np.random.default_rng(0)
    true = chance.normal(0, 2, 4000)
    sick = chance.random(4000) < 1 / (1 + np.exp(-true))
    found = fit_log_odds((true - offset) / slope, sick, np.ones(4000))
    assert found == pytest.approx((slope, offset), abs=0.2)


def test_children_are_calibrated_for_the_stated_share_of_pneumonia() -> None:
    shifted = readings()
    slope, offset = fit_children(shifted)
    fitted = 1 / (1 + np.exp(-(slope * shifted.log_odds + offset)))
    sick = shifted.sick
    class_weight = np.where(sick, PREVALENCE / sick.mean(), (1 - PREVALENCE) / (1 - sick.mean()))
    mean = np.average(fitted, weights=shifted.weights * class_weight)
    assert mean == pytest.approx(PREVALENCE, abs=0.01)
