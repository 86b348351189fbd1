import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_app.evaluation.metrics import (
    GRID,
    bootstrap_interval,
    confusion,
    predictive_values,
    wilson_interval,
)
from cxr_app.evaluation.operating_curve import FEWEST, OperatingCurve
from cxr_app.evaluation.reference_scores import FilmScores
from tests.support.scores import scored_films
from training.data.anonymous import anonymous

thresholds = st.floats(0.001, 0.999)
shares = st.floats(0.001, 0.999)


def film_scores_of(
    normal: int = 60, bacterial: int = 50, viral: int = 29, films_each: int = 2
) -> FilmScores:
    films = scored_films(normal, bacterial, viral, films_each=films_each)
    sexes = tuple("F" if number % 2 else "" for number in range(len(films.films)))
    return anonymous(
        films.probabilities,
        films.films,
        model_version="m-1",
        data=Path("films"),
        partition="validation",
        groups={"patient_sex": sexes},
    )


CURVE = OperatingCurve.of(film_scores_of())


@settings(max_examples=20)
@given(threshold=thresholds)
def test_figures_and_intervals_are_those_of_the_report(threshold: float) -> None:
    scores = CURVE.scores
    patients = [str(patient) for patient in scores.patients]

    found = CURVE.at(threshold)

    counts = confusion(scores.pneumonia, scores.truth, threshold)
    assert found.counts == counts
    for name in ("sensitivity", "specificity"):
        estimate = getattr(found, name)
        assert estimate.value == getattr(counts, name)
        if 0 < estimate.value < 1:
            expected = bootstrap_interval(
                lambda i, name=name: getattr(  # type: ignore[misc]
                    confusion(scores.pneumonia[i], scores.truth[i], threshold), name
                ),
                patients,
            )
            assert (estimate.low, estimate.high) == pytest.approx(expected)


@given(threshold=thresholds, prevalence=shares, films_a_day=st.floats(1, 5000))
def test_predictive_values_and_alerts_agree_with_bayes(
    threshold: float, prevalence: float, films_a_day: float
) -> None:
    here = CURVE.at(threshold)
    found = CURVE.at_prevalence(threshold, prevalence, films_a_day)

    sensitivity, specificity = here.sensitivity.value, here.specificity.value
    ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    assert found.ppv.value == pytest.approx(ppv, nan_ok=True)
    assert found.npv.value == pytest.approx(npv, nan_ok=True)
    alerts = found.alerts_a_day.value
    assert 0 <= alerts <= films_a_day * (1 + 1e-9)
    if alerts:
        assert alerts * ppv == pytest.approx(films_a_day * prevalence * sensitivity)
    for estimate in (found.ppv, found.npv, found.alerts_a_day):
        if not math.isnan(estimate.value):
            assert estimate.low <= estimate.value + 1e-9
            assert estimate.value <= estimate.high + 1e-9


@given(pair=st.tuples(thresholds, thresholds).map(sorted))
def test_a_lower_threshold_flags_more_and_misses_fewer(pair: list[float]) -> None:
    low, high = (CURVE.at(threshold) for threshold in pair)
    assert low.sensitivity.value >= high.sensitivity.value
    assert low.specificity.value <= high.specificity.value
    alerts = [CURVE.at_prevalence(t, 0.2, 100).alerts_a_day.value for t in pair]
    assert alerts[0] >= alerts[1]


@given(threshold=thresholds)
def test_every_threshold_lies_on_or_below_the_curve(threshold: float) -> None:
    found = CURVE.at(threshold)
    place = int(np.searchsorted(GRID, 1 - found.specificity.value - 1e-9))
    assert CURVE.roc[place] >= found.sensitivity.value - 1e-9
    assert (np.diff(CURVE.roc) >= 0).all()
    assert (CURVE.roc_low <= CURVE.roc_high).all()


def test_a_share_of_all_is_not_surer_than_its_patients_allow() -> None:
    curve = OperatingCurve.of(film_scores_of(60, 0, 60, films_each=4))

    found = curve.at(1e-9)  # flags every film

    assert found.sensitivity.value == 1.0
    assert found.sensitivity.low == pytest.approx(wilson_interval(15, 15)[0])
    assert found.specificity.value == 0.0
    assert found.specificity.high == pytest.approx(1 - wilson_interval(15, 15)[0])
    worth = curve.at_prevalence(1e-9, 0.1, 100)
    assert worth.ppv.value == pytest.approx(0.1)
    assert worth.ppv.low < 0.1 < worth.ppv.high
    assert math.isnan(worth.npv.value)


@given(whole=st.integers(1, 500), part=st.integers(0, 500))
def test_wilsons_interval_holds_the_share_and_is_its_own_mirror(whole: int, part: int) -> None:
    part = min(part, whole)
    low, high = wilson_interval(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    mirrored = wilson_interval(whole - part, whole)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81 of 263, and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_every_film_is_in_one_bin_of_the_reliability() -> None:
    bins = CURVE.reliability()

    assert sum(each.films for each in bins) == len(CURVE.scores.truth)
    gaps = sum(each.films * abs(each.predicted - each.observed.value) for each in bins)
    assert CURVE.calibration_error.value == pytest.approx(gaps / len(CURVE.scores.truth))
    for each in bins:
        assert each.observed.low <= each.observed.value <= each.observed.high


def test_a_group_of_few_films_is_left_out() -> None:
    groups = {group.name: group for group in CURVE.groups(0.5)}

    everything, bacterial, viral, female = (
        groups[name] for name in ("all films", "bacterial", "viral", "F")
    )
    assert everything.sensitivity == CURVE.at(0.5).sensitivity
    assert everything.specificity == CURVE.at(0.5).specificity
    assert bacterial.sensitivity is not None
    assert bacterial.specificity is None
    assert viral.with_pneumonia == 29 < FEWEST
    assert viral.sensitivity is None
    assert female.sensitivity is not None
    assert female.with_pneumonia + female.without_pneumonia == len(CURVE.scores.truth) // 2


def test_films_of_one_class_leave_figures_untold() -> None:
    curve = OperatingCurve.of(film_scores_of(normal=0))

    found = curve.at(0.5)

    assert math.isnan(curve.auroc.value)
    assert math.isnan(found.specificity.value)
    assert 0 < found.sensitivity.value < 1
