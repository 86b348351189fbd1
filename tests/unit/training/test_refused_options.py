"""A command answers what it cannot use with a sentence and exit status 2, not with a traceback."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from training import simulate

IMPOSSIBLE = [
    "simulate --hospitals 0",
    "simulate --receiver-cores 0",
    "simulate --scoring-cores 0",
    "simulate --database-cores 0",
    "simulate --replica-cores -1",
    "simulate --films-a-year -1",
    "simulate --films-a-year 0",
    "simulate --films-a-year nan",
    "simulate --cut-off -1",
    "simulate --core-hour -1",
    "simulate --terabyte-year inf",
    "phantom FOLDER --films 0",
    "phantom FOLDER --seed -1",
    "train --data FOLDER --out FOLDER --seed -1",
    "train_lungs --data FOLDER --outlines FILE --out FILE --epochs 0",
    "train_screening --data FOLDER --out FILE --steps 0",
    "steps --data FOLDER --group x --out FOLDER --seeds 0 -1",
    "explore FOLDER --seed -1",
    "fuzz FOLDER --mutants 0",
    "benchmark --kills -1",
    "bench.backup_rate FOLDER --films 0",
    "bench.postgres_entries URL --entries 0",
]
UNUSABLE = [
    "phantom FILE",
    "convert_imagenet FILE x.safetensors",
    "convert_imagenet missing.pth x.safetensors",
    "convert_imagenet FILE FOLDER",
    "bench.backup_rate FOLDER",
    "bench.backup_rate FILE/new",
    "bench.postgres_entries foo",
    "bench.postgres_entries sqlite:///foo",
    "bench.recipe_cost nope",
    "steps --data FOLDER --group x --out FILE",
    "train_screening --data FOLDER --out FILE/weights",
    "retrain --data FOLDER --out FILE",
]


@pytest.fixture
def status_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Run a line; FOLDER and FILE exist, and FILE is only words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "FILE").write_text("only words")

    def status_of(line: str) -> int:
        command, *words = line.split()
        status: int = import_module(f"training.{command}").main(words)
        return status

    return status_of


@pytest.mark.parametrize("line", IMPOSSIBLE)
def test_an_impossible_number_is_refused(
    status_of: Callable[[str], int], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        status_of(line)
    assert ended.value.code == 2
    assert "is not between" in capsys.readouterr().err


@pytest.mark.parametrize("line", UNUSABLE)
def test_what_cannot_be_used_is_named_in_a_sentence(
    status_of: Callable[[str], int], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert status_of(line) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith(".")
    assert "\n" not in said


def test_the_fewest_films_are_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--films-a-year", "1", "--hospitals", "3", "--cut-off", "24"]) == 0
    assert "first to saturate" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["training.bench.recipe_cost", "tests.browser.screenshots"])
def test_help_is_printed_and_nothing_else_is_done(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main = import_module(command).main
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert f"python -m {command}" in capsys.readouterr().out
