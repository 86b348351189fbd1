import json
from dataclasses import replace

import numpy as np

from tests.support.scores import scored_films
from training.measure.paired import compare_models


def test_a_checkpoint_does_not_differ_from_itself() -> None:
    scored = scored_films()

    found = compare_models(scored, 0.5, scored, 0.5)

    assert found["auroc"]["difference"] == 0
    low, high = found["auroc"]["ci95"]
    assert low < 0 < high  # that many films cannot exclude every difference
    assert found["auroc"]["remark"].startswith("No film differs")
    assert found["auroc"]["delong"]["p"] == 1
    assert found["accuracy"]["difference"] == 0


def test_a_worse_checkpoint_is_worse_by_both_intervals() -> None:
    scored = scored_films(100, 100, 100)
    noise = np.random.default_rng(1).random(300)
    guessing = replace(scored, probabilities=np.column_stack([1 - noise, noise / 2, noise / 2]))

    found = compare_models(scored, 0.5, guessing, 0.5)

    assert found["auroc"]["difference"] > 0.2
    assert found["auroc"]["ci95"][0] > 0
    assert found["auroc"]["delong"]["ci95"][0] > 0
    assert found["auroc"]["delong"]["p"] < 0.001
    assert found["sensitivity"]["value"] > found["sensitivity"]["other"]
    json.dumps(found, allow_nan=False)


def test_films_of_few_patients_widen_the_interval_by_patients_alone() -> None:
    generator = np.random.default_rng(2)
    own = np.repeat(np.r_[generator.normal(-1, 1, 15), generator.normal(1, 1, 30)], 8)
    other = np.repeat(np.r_[generator.normal(-1, 1, 15), generator.normal(1, 1, 30)], 8)
    scored, second = (
        replace(
            scored_films(120, 120, 120, films_each=8),
            probabilities=np.column_stack([1 - p, p / 2, p / 2]),
        )
        for p in (1 / (1 + np.exp(-own)), 1 / (1 + np.exp(-other)))
    )

    found = compare_models(scored, 0.5, second, 0.5)["auroc"]

    by_patients, by_films = (np.diff(pair)[0] for pair in (found["ci95"], found["delong"]["ci95"]))
    assert by_patients > 1.8 * by_films
