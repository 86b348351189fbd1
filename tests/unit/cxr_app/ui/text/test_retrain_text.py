"""What the Retrain page says of recipes and reviewed films."""

import pytest

from cxr_app.jobs.recipe_list import PROJECT_RECIPES, SHIPPED, recipes
from cxr_app.settings import Settings
from cxr_app.ui.text import retrain_text
from cxr_app.worklist import ReviewedCounts
from training.data.holdout import HELD_IF_FEW, ONE_IN
from training.data.splits import FEWEST_PATIENTS, FOLDS
from training.fit.crop_training.shift_calibration import SENSITIVITY


def test_the_minimum_is_that_of_the_training() -> None:
    assert retrain_text.FEWEST_PATIENTS == FEWEST_PATIENTS
    assert (retrain_text.ONE_IN, retrain_text.HELD_IF_FEW) == (ONE_IN, HELD_IF_FEW)


def test_how_many_films_the_operating_points_need_is_that_of_the_training() -> None:
    assert retrain_text.TUNED_ONE_IN == FOLDS
    assert SENSITIVITY["balanced"] == retrain_text.BALANCED_SENSITIVITY
    assert "fewer than 34 such films with pneumonia, of some 566 patients with pneumonia" in (
        retrain_text.point_films()
    )


def test_how_many_films_tell_two_models_apart_is_said_before_they_are_compared() -> None:
    assert "On 100 held-out films a difference in AUROC is known to ±0.03" in (
        retrain_text.precision()
    )
    assert "some 48 are held out: ±0.05" in retrain_text.precision(120)


def test_every_recipe_says_what_it_is_for_and_the_shipped_one_what_it_costs() -> None:
    own = [each for each in recipes(Settings()) if each.path.parent == PROJECT_RECIPES]
    assert own
    for recipe in own:
        assert recipe.purpose.endswith("."), recipe.name
        assert recipe.cost is not None or recipe.name != SHIPPED


@pytest.mark.parametrize("name", retrain_text.NOT_USABLE)
def test_every_reason_to_leave_a_reviewed_film_out_is_said(name: str) -> None:
    counts = ReviewedCounts(normal=2, **{name: 7})
    assert (counts.reviewed, counts.usable) == (9, 2)
    assert f"7 {retrain_text.NOT_USABLE[name]}" in retrain_text.reviewed(counts)


def test_nothing_is_said_where_nothing_was_reviewed() -> None:
    assert retrain_text.reviewed(ReviewedCounts()) == ""
