"""The rule by which a challenger may replace the model in use."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxr_app.evaluation.metrics import Floats
from cxr_app.prediction import OperatingPoint
from training.data.dataset import LabelledFilm
from training.measure import acceptance as module
from training.measure.acceptance import challenge
from training.measure.predictions import FilmDetails, Predictions

FILMS = 400
CAUSES = ("", "bacterial", "", "viral")


class Model:
    """The part of a classifier that the comparison uses."""

    def __init__(self, name: str, threshold: float = 0.5, lower: float | None = None) -> None:
        lower = threshold / 2 if lower is None else lower
        self.model_version = name
        self.operating_points = {
            "balanced": OperatingPoint("balanced", threshold, 0.9, 0.9),
            "high_sensitivity": OperatingPoint("high_sensitivity", lower, 0.9, 0.9),
        }


def films() -> list[LabelledFilm]:
    return [
        LabelledFilm(
            Path(str(n)),
            "PNEUMONIA" if CAUSES[n % 4] else "NORMAL",
            CAUSES[n % 4],
            f"p{n // 2}",
            "",
        )
        for n in range(FILMS)
    ]


def probabilities(strength: float, seed: int = 0) -> Floats:
    """Probabilities of a model that separates the classes the better, the larger `strength`."""
    rng = np.random.default_rng(seed)
    sick = np.arange(FILMS) % 2
    pneumonia = 1 / (1 + np.exp(-strength * (sick - 0.5) - rng.normal(0, 1, FILMS)))
    bacterial = pneumonia * rng.uniform(0.1, 0.9, FILMS)
    return np.column_stack([1 - pneumonia, bacterial, pneumonia - bacterial])


def compared(
    monkeypatch: pytest.MonkeyPatch,
    first: Floats,
    second: Floats,
    threshold: float = 0.5,
    lower: float | None = None,
) -> dict[str, Any]:
    facts = [FilmDetails(str(n), False) for n in range(FILMS)]
    predictions = [Predictions(films(), facts, each, []) for each in (first, second)]
    monkeypatch.setattr(module, "score_films", lambda *_: predictions)
    challenger = Model("new", threshold, lower)
    return challenge(Model("now"), challenger, films())  # type: ignore[arg-type]


def failed(found: dict[str, Any]) -> set[str]:
    return {check["name"] for check in found["checks"] if not check["passed"]}


def test_a_model_is_not_worse_than_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    same = probabilities(6)
    found = compared(monkeypatch, same, same)
    assert found["not_worse"]
    assert all(figure["difference"] == 0 for figure in found["figures"])
    assert [loss["name"] for loss in found["subgroups"]] == ["cause: bacterial", "cause: viral"]


def test_a_better_model_passes_and_a_worse_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, probabilities(2), probabilities(9))["not_worse"]
    worse = compared(monkeypatch, probabilities(9), probabilities(2))
    assert not worse["not_worse"]
    assert {"AUROC", "Sensitivity at balanced", "Groups"} <= failed(worse)


def test_a_threshold_that_misses_pneumonia_fails_despite_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    same = probabilities(6)
    found = compared(monkeypatch, same, same, threshold=0.97)
    assert found["figures"][0]["difference"] == 0
    assert "Sensitivity at balanced" in failed(found)
    flags_all = compared(monkeypatch, same, same, threshold=0.01)
    assert failed(flags_all) == {"Specificity at balanced", "Specificity at high sensitivity"}


def test_a_second_threshold_that_finds_as_many_more_as_it_flags_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that is hardly better than chance may trade one for the other."""
    first = probabilities(0.2)
    first[:, 1:] /= 2
    found = compared(monkeypatch, first, probabilities(2), lower=0.03)
    by_name = {figure["name"]: figure["difference"] for figure in found["figures"]}
    assert by_name["Specificity at high sensitivity"] < -0.1
    assert "Specificity at high sensitivity" not in failed(found)


def test_a_second_threshold_that_tells_nothing_apart_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    same = probabilities(6)
    found = compared(monkeypatch, same, same, lower=0.001)
    assert failed(found) == {"Specificity at high sensitivity"}


def test_a_model_without_causes_cannot_replace_one_with_causes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    same = probabilities(6)
    silent = same.copy()
    silent[:, 1:] = np.nan
    assert failed(compared(monkeypatch, same, silent)) == {"Causes"}
    found = compared(monkeypatch, silent, same)
    assert found["not_worse"]
    assert found["figures"][-1]["in_use"] is None


def test_a_loss_in_one_group_is_enough_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    same = probabilities(9)
    viral = same.copy()
    missed = np.flatnonzero(np.arange(FILMS) % 4 == 3)[:12]
    viral[missed, 0], viral[missed, 1:] = 0.6, 0.2
    found = compared(monkeypatch, same, viral)
    assert "Groups" in failed(found)


class Looks:
    """Stands for films whose acquisition groups are known: every tenth is of one machine."""

    def group_of(self) -> dict[str, str]:
        return {str(n): "pale" if n % 10 < 2 else "dark" for n in range(FILMS)}


def test_a_loss_on_one_machine_is_enough_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's films are few, so that the figures of all films hardly change."""
    monkeypatch.setattr(module, "acquire", lambda _: Looks())
    same = probabilities(9)
    worse = same.copy()
    missed = np.flatnonzero(np.arange(FILMS) % 10 == 1)[:7]
    worse[missed, 0], worse[missed, 1:] = 0.6, 0.2
    found = compared(monkeypatch, same, worse)
    groups = {group["name"]: group for group in found["subgroups"]}
    assert groups["look: pale"]["n_pneumonia"] == 40
    assert groups["look: pale"]["difference"] < groups["look: dark"]["difference"] == 0
    assert failed(found) >= {"Groups"}
