"""Adults are measured by members, and calibrated by labels, that know nothing of their patients."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.prediction import HeatScale
from tests.support.lungs import two_lungs
from tests.unit.training.fit.crop_training.lessons import film_table
from training.fit.crop_training.adult_figures import (
    UnseenAdults,
    calibrated_by_others,
    fit_adults,
    measure_adults,
    read_unseen_adults,
)
from training.fit.crop_training.lesson_films import ADULTS
from training.fit.crop_training.population_calibration import calibrate

TABLE = film_table(72)
SCALE = HeatScale(0.0, 2.0)


@pytest.fixture(scope="module")
def network() -> LungCropNetwork:
    """Two members that answer differently, whatever the film."""
    made = LungCropNetwork().eval()
    for member, bias in zip(made.members, (-1.0, 1.0), strict=True):
        torch.nn.init.constant_(member.get_parameter("cell.bias"), bias)
    return made


@pytest.fixture(scope="module")
def unseen(network: LungCropNetwork) -> UnseenAdults:
    return read_unseen_adults(network, TABLE)


def test_each_film_is_read_by_the_member_that_left_its_fold_out(unseen: UnseenAdults) -> None:
    assert (TABLE.folds[unseen.places] == unseen.folds).all()
    adults = TABLE.sources == ADULTS
    assert len(unseen.places) == (adults & np.isin(TABLE.folds, (0, 1))).sum()


def test_a_film_is_read_by_that_member_alone(unseen: UnseenAdults) -> None:
    expected = np.where(unseen.folds == 0, -1.0, 1.0)
    np.testing.assert_allclose(unseen.readings.log_odds, expected, atol=0.01)


def test_no_label_of_its_own_fold_touches_a_probability(
    network: LungCropNetwork, unseen: UnseenAdults
) -> None:
    own = unseen.folds == 0
    drawn = np.random.default_rng(0).normal(size=len(own))
    unseen = replace(unseen, readings=replace(unseen.readings, log_odds=drawn))
    flipped = replace(unseen, sick=np.where(own, ~unseen.sick, unseen.sick))
    before, after = (calibrated_by_others(network, each) for each in (unseen, flipped))
    for read in ("log_odds", "cells"):
        one, other = getattr(before, read), getattr(after, read)
        np.testing.assert_array_equal(one[own], other[own])
        assert not np.allclose(one[~own], other[~own])


def test_the_share_of_pneumonia_among_the_adults_at_hand_moves_nothing(
    unseen: UnseenAdults,
) -> None:
    """Probabilities of adults and children are made for one share, as `CXR_PREVALENCE` needs."""
    drawn = np.random.default_rng(0).normal(size=len(unseen.sick)) + 2 * unseen.sick
    unseen = replace(unseen, readings=replace(unseen.readings, log_odds=drawn))
    twice = np.concatenate([np.arange(len(drawn)), *[np.flatnonzero(unseen.sick)] * 2])
    more = replace(
        unseen,
        sick=unseen.sick[twice],
        is_certain=unseen.is_certain[twice],
        readings=replace(unseen.readings, log_odds=drawn[twice]),
    )
    fitted = [fit_adults(each, np.ones(len(each.sick), bool)) for each in (unseen, more)]
    assert fitted[0] == pytest.approx(fitted[1], abs=0.02)


def test_a_film_without_opacity_that_is_not_normal_is_counted_apart(
    network: LungCropNetwork, unseen: UnseenAdults
) -> None:
    doubtful = (np.arange(len(unseen.places)) % 6 == 0) & ~unseen.sick
    found_lungs = replace(unseen.readings, lungs=[two_lungs()] * len(unseen.places))
    unseen = replace(unseen, readings=found_lungs)
    found = measure_adults(network, TABLE, replace(unseen, is_certain=~doubtful), 0.5, SCALE)
    assert found["not_normal_films"] == doubtful.sum()
    against = found["opacity_against_normal"]
    assert against["all"]["n"] == (~doubtful).sum() == against["AP"]["n"] + against["PA"]["n"]
    assert found["peak_in_box_films"] == unseen.sick.sum()
    assert found["extent"]["against_boxes"]["films"] == unseen.sick.sum()


def test_without_adults_their_calibration_is_that_of_children(network: LungCropNetwork) -> None:
    children = replace(TABLE, is_read=np.zeros(72, bool))
    fresh = LungCropNetwork().eval()
    _, unseen = calibrate(fresh, children, np.zeros(72, np.int64))
    assert len(unseen.places) == 0
    assert fresh.slope[0] == fresh.slope[1]
    assert measure_adults(fresh, children, unseen, 0.5, SCALE) == {}
