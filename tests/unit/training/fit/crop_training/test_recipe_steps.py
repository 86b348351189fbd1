"""The steps to the recipe differ by one part each, and a held-out group is held out."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import TrainingDataError
from tests.unit.training.fit.crop_training.lessons import film_table
from training.fit.crop_training import recipe_steps
from training.fit.crop_training.lesson_films import CHILDREN
from training.fit.crop_training.lesson_settings import VARIED, LessonSettings
from training.fit.crop_training.recipe_steps import (
    COLUMNS,
    FIGURES,
    STEPS,
    held_out,
    steps_table,
)


def test_the_last_step_is_the_recipe_with_fewer_films() -> None:
    own, recipe = STEPS[-1].settings, LessonSettings()
    assert replace(own, shown=recipe.shown, restart_epochs=recipe.restart_epochs) == recipe
    assert {name: 2 * count for name, count in own.shown.items()} == pytest.approx(
        dict(recipe.shown), abs=1
    )


def test_the_first_step_has_nothing_that_the_recipe_adds() -> None:
    first = STEPS[0]
    assert first.part == "film"
    assert not any(getattr(first.settings, name) for name in VARIED)
    assert set(first.shown) == {"normal", "bacterial", "viral"}


def test_a_step_reads_another_part_or_learns_otherwise_and_not_both() -> None:
    for before, step in pairwise(STEPS):
        learns = [(each.changes, each.shown) for each in (before, step)]
        assert (before.part != step.part) != (learns[0] != learns[1]), step.name


def test_films_of_a_group_and_their_patients_are_out_of_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = film_table()
    children = np.flatnonzero(table.sources == CHILDREN)
    names = np.where(np.arange(len(children)) % 4 == 0, "dark", "pale")
    monkeypatch.setattr(recipe_steps, "find_groups", lambda _: names.tolist())
    patients = table.patients.copy()
    patients[children[1]] = patients[children[0]]  # one patient, films of both groups
    held = held_out(replace(table, patients=patients), ["dark"])
    assert set(held.parts[children[names == "dark"]]) == {"test"}
    assert held.parts[children[1]] == "left out"
    others = np.setdiff1d(np.arange(len(table.parts)), [*children[names == "dark"], children[1]])
    np.testing.assert_array_equal(held.parts[others], table.parts[others])


def test_several_groups_are_held_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    table = film_table()
    children = np.flatnonzero(table.sources == CHILDREN)
    names = np.array(["dark", "grey", "pale", "pale"])[np.arange(len(children)) % 4]
    monkeypatch.setattr(recipe_steps, "find_groups", lambda _: names.tolist())
    held = held_out(table, ["dark", "grey"])
    np.testing.assert_array_equal(held.parts[children] == "test", names != "pale")


@pytest.mark.parametrize("groups", [["dark"], ["pale", "dark"]])
def test_a_group_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, groups: list[str]
) -> None:
    monkeypatch.setattr(recipe_steps, "find_groups", lambda films: ["pale"] * len(films))
    with pytest.raises(TrainingDataError, match="'dark'"):
        held_out(film_table(), groups)


def test_the_table_has_the_middle_and_the_ends_of_the_seeds(tmp_path: Path) -> None:
    for seed, value in enumerate((0.91, 0.95, 0.9)):
        figures = dict.fromkeys(COLUMNS, 0.99) | {"held_out": value, "adults": None}
        folder = tmp_path / f"step_2_seed_{seed}"
        folder.mkdir()
        (folder / FIGURES).write_text(json.dumps({"step": 2, "seed": seed, **figures}), "utf-8")
    head, line = steps_table(tmp_path).splitlines()
    assert "held out" in head
    assert line.startswith(STEPS[1].name)
    assert "0.910 (0.900-0.950)" in line
    assert line.endswith("-")
