"""What a comparison shows: three outcomes, and never "worse" for what is not shown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.jobs.retraining import Comparison, ComparisonResult
from cxr_app.ui.text import retrain_text
from training.measure.acceptance import AUROC_MARGIN

Interval = tuple[float | None, float | None]


def comparison(name: str, difference: float, interval: Interval, *, passed: bool) -> Comparison:
    line: dict[str, Any] = {
        "name": name,
        "in_use": 0.9,
        "challenger": 0.9 + difference,
        "difference": difference,
        "ci95": interval,
    }
    return Comparison(
        *("m-0", "m-1", "0" * 64, "1" * 64),
        n_normal=55,
        n_pneumonia=55,
        n_patients=110,
        figures=[line],
        subgroups=[],
        checks=[{"name": name, "allowed": "", "passed": passed}],
        not_worse=passed,
        counts={},
        unknown=0,
    )


@pytest.mark.parametrize(
    ("name", "difference", "interval", "result"),
    [
        ("AUROC", 0.017, (-0.016, 0.049), ComparisonResult.NOT_SHOWN),
        ("AUROC", -0.03, (-0.07, 0.01), ComparisonResult.NOT_SHOWN),
        ("AUROC", -0.03, (-0.05, -0.01), ComparisonResult.WORSE),
        ("AUROC", -0.03, (None, None), ComparisonResult.NOT_SHOWN),
        ("Calibration error", 0.05, (0.02, 0.08), ComparisonResult.WORSE),
        ("Calibration error", 0.05, (-0.01, 0.11), ComparisonResult.NOT_SHOWN),
    ],
)
def test_worse_is_only_what_is_worse_with_its_whole_interval(
    name: str, difference: float, interval: Interval, result: ComparisonResult
) -> None:
    assert comparison(name, difference, interval, passed=False).result is result


def test_a_rule_without_a_figure_that_is_not_met_is_worse() -> None:
    found = comparison("Causes", 0.0, (0.0, 0.0), passed=False)
    lost = Comparison(**{**_fields(found), "figures": []})
    assert lost.result is ComparisonResult.WORSE


def _fields(found: Comparison) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


@given(st.floats(-0.2, 0.2), st.floats(0.001, 0.2))
def test_a_better_challenger_is_never_called_worse(difference: float, reach: float) -> None:
    interval = (difference - reach, difference + reach)
    passed = interval[0] > -AUROC_MARGIN
    found = comparison("AUROC", difference, interval, passed=passed)
    words = retrain_text.verdict(found)
    assert ("Worse" in words) == (not passed and interval[1] < 0)
    assert ("Not worse" in words) == passed


def test_the_number_of_films_that_would_show_it_is_said() -> None:
    found = comparison("AUROC", 0.017, (-0.016, 0.049), passed=False)
    assert "110 films were compared; about 160 would show" in retrain_text.verdict(found)


def test_the_margin_is_that_of_the_rule() -> None:
    assert retrain_text.AUROC_MARGIN == AUROC_MARGIN


@pytest.mark.parametrize(
    ("failed", "advice"),
    [
        ({"AUROC"}, "More films may help."),
        ({"Causes"}, "Choose a recipe that distinguishes causes."),
        ({"Causes", "AUROC"}, "Choose a recipe that distinguishes causes. More films may help."),
    ],
    ids=["figures", "causes", "both"],
)
def test_advice_fits_what_failed(failed: set[str], advice: str) -> None:
    found = comparison("AUROC", -0.03, (-0.05, -0.01), passed=False)
    checks = [{"name": name, "passed": name not in failed} for name in ("AUROC", "Causes")]
    assert retrain_text.advice(Comparison(**{**_fields(found), "checks": checks})) == advice
