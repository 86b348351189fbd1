import json

import numpy as np
import pytest

from tests.support.scores import scored_films
from training.explain.perturbations import SHORTCUTS
from training.explain.shortcuts import shortcut_summary


def test_an_unchanged_score_has_no_changes() -> None:
    scored = scored_films()
    unmoved = np.repeat(scored.pneumonia[:, None], len(SHORTCUTS), axis=1)

    found = shortcut_summary(scored, unmoved, threshold=0.5)

    assert [entry["change"] for entry in found] == list(SHORTCUTS)
    for entry in found:
        assert entry["mean_change"] == {"value": 0, "ci95": [0, 0]}
        assert entry["flags_changed"]["value"] == 0
        assert entry["auroc_change"] == {"value": 0, "ci95": [0, 0]}


def test_a_score_that_relied_on_the_border_is_detected() -> None:
    scored = scored_films()
    changed = np.repeat(scored.pneumonia[:, None], len(SHORTCUTS), axis=1)
    changed[:, 0] = 0.9  # without the border every film looks the same

    border, *others = shortcut_summary(scored, changed, threshold=0.5)

    assert border["auroc"] == 0.5
    assert border["auroc_change"]["ci95"][1] < 0
    assert border["mean_change_normal"] > border["mean_change_pneumonia"]
    assert border["flags_changed"]["value"] == pytest.approx(np.mean(scored.pneumonia < 0.5))
    assert border["specificity"] == 0
    assert all(entry["mean_change"]["value"] == 0 for entry in others)
    json.dumps([border, *others], allow_nan=False)
