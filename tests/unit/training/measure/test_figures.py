"""No figure of a report is surer than its films allow."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.dataset import LabelledFilm
from training.measure.figures import measure_figures
from training.measure.predictions import mean_with_interval

SHARES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "auroc")


def films(sick: int, normal: int) -> list[LabelledFilm]:
    labels = [("PNEUMONIA", "viral")] * sick + [("NORMAL", "")] * normal
    return [
        LabelledFilm(Path(f"{place}.png"), target, cause, f"patient {place}", "")
        for place, (target, cause) in enumerate(labels)
    ]


def probabilities(pneumonia: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - pneumonia, 0 * pneumonia, pneumonia])


@settings(max_examples=25)  # each draws a bootstrap of every figure
@given(sick=st.integers(2, 40), normal=st.integers(2, 40), right=st.booleans())
def test_perfect_and_useless_models_have_intervals(sick: int, normal: int, right: bool) -> None:
    truth = np.repeat([1.0, 0.0], [sick, normal])
    said = truth if right else 1 - truth
    report = measure_figures(probabilities(0.2 + 0.6 * said), films(sick, normal), 0.5)
    for name in SHARES:
        if report[name] is not None:
            low, high = report[f"{name}_ci95"]
            assert 0 <= low <= report[name] <= high <= 1
            assert low < high, name
    assert report["sensitivity_ci95"][0 if right else 1] == pytest.approx(
        0.025 ** (1 / sick) if right else 1 - 0.025 ** (1 / sick)
    )


def test_a_predictive_value_is_as_sure_as_the_films_that_were_flagged() -> None:
    said = np.repeat([0.9, 0.1], [4, 60])
    report = measure_figures(probabilities(said), films(4, 60), 0.5)
    assert report["ppv"] == 1
    assert report["ppv_ci95"][0] == pytest.approx(0.025 ** (1 / 4))


@given(value=st.sampled_from([0.0, 1.0]), count=st.integers(1, 60))
def test_a_share_of_all_or_none_has_an_interval(value: float, count: int) -> None:
    found = mean_with_interval(
        np.full(count, value), [str(place) for place in range(count)], share=True
    )
    low, high = found["ci95"]
    assert low < high
    assert low <= value <= high
