"""Which films the lung-crop networks learn from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import TrainingDataError
from tests.support.films import write_kaggle_folder
from training.data.dataset import find_films
from training.data.holdout import HoldoutFilm, Side, write_films
from training.fit.crop_training.lesson_films import FilmTable, read_table


def table_of(data: Path, cache: Path) -> FilmTable:
    return read_table(data, None, None, cache, seed=0)


def test_films_that_are_kept_for_testing_are_not_in_the_table(tmp_path: Path) -> None:
    """Else a network that has learned them is measured on them."""
    data = write_kaggle_folder(tmp_path / "films", 24)
    kept = sorted((data / "train" / "NORMAL").iterdir())[:3]
    kept += sorted((data / "train" / "PNEUMONIA").iterdir())[:5]
    before = table_of(data, tmp_path / "cache")
    for path in kept:
        target = data / "test" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    after = table_of(data, tmp_path / "cache")
    assert len(after.paths) == len(before.paths) - len(kept)
    assert not [path for path in after.paths if "/test/" in path]
    assert len(after.pixels) == len(after.paths)
    assert set(after.parts) == {"train", "tune", "validation"}
    remaining = dict(zip(before.paths, before.pixels, strict=True))
    for path, pixels in zip(after.paths, after.pixels, strict=True):
        assert np.array_equal(pixels, remaining[path])


def test_films_that_a_retraining_keeps_back_for_its_comparison_are_not_in_the_table(
    tmp_path: Path,
) -> None:
    films = [
        replace(film, patient_id=f"{number:08x}")
        for number, film in enumerate(find_films(write_kaggle_folder(tmp_path / "films", 24)))
    ]
    candidates = [HoldoutFilm(film, f"{number:064x}") for number, film in enumerate(films)]
    sides = [list(Side)[number % 4 % len(Side)] for number in range(len(films))]
    write_films(tmp_path / "films.csv", candidates, sides)
    table = table_of(tmp_path / "films.csv", tmp_path / "cache")
    learned = [film for film, side in zip(films, sides, strict=True) if side is Side.LEARN]
    assert set(table.paths) == {str(film.path) for film in learned}


def test_a_film_that_is_in_training_and_in_testing_is_refused(tmp_path: Path) -> None:
    data = write_kaggle_folder(tmp_path / "films", 24)
    path = min((data / "train" / "NORMAL").iterdir())
    copy = data / "test" / "NORMAL" / "another-name.png"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    with pytest.raises(TrainingDataError):
        table_of(data, tmp_path / "cache")
