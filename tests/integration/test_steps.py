"""`training.steps` from films to its table, and nothing twice."""

from pathlib import Path

import pytest

from tests.support.films import write_kaggle_folder
from training import steps
from training.fit.crop_training import recipe_steps


def test_every_step_is_learned_once_and_stands_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(recipe_steps, "SIZE", 32)
    monkeypatch.setattr(recipe_steps, "EPOCHS", 1)
    data, out = write_kaggle_folder(tmp_path / "films", 24), tmp_path / "steps"
    monkeypatch.setattr(
        recipe_steps, "find_groups", lambda films: (["dark"] + ["pale"] * 5) * (len(films) // 6)
    )
    command = ["--data", str(data), "--group", "dark", "--out", str(out), "--seeds", "3"]
    assert steps.main(command) == 0
    table = capsys.readouterr().out
    assert [line[:26].strip() for line in table.splitlines()[1:]] == [
        *(step.name for step in recipe_steps.STEPS),
        *recipe_steps.JOINED,
    ]
    learned = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert steps.main(command) == 0
    assert capsys.readouterr().out == table
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == learned


def test_a_group_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    data = write_kaggle_folder(tmp_path / "films", 12)
    command = ["--data", str(data), "--group", "dark", "--out", str(tmp_path / "steps")]
    assert steps.main(command) == 2
    assert "'dark'" in capsys.readouterr().err
