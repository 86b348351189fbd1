"""The cost of a recipe is measured, whether one network learns or several."""

from dataclasses import replace

import pytest

from cxr_app.jobs.recipe_list import SHIPPED
from training.bench.recipe_cost import cost
from training.fit.recipe import read_recipe

SMALLEST = 64


@pytest.mark.parametrize("name", [SHIPPED, "resnet18", "resnet18_two_scales"])
def test_a_recipe_costs_time_and_memory(name: str) -> None:
    recipe = read_recipe(name)
    stages = tuple(replace(stage, size=SMALLEST, epochs=1) for stage in recipe.stages)
    found = cost(replace(recipe, stages=stages, batch_size=2))
    assert found["core_seconds"] > 0
    assert found["memory_mib"] > 0
