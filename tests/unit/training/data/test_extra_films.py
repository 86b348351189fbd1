"""Films from elsewhere: found by folder, sampled by class, refused if also measured on."""

from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import TrainingDataError
from tests.support.films import jpeg
from training.data.dataset import ANY_CAUSE, pixel_digests
from training.data.extra_films import StackedFilms, check_disjoint, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three normal films and two of COVID-19, in folders as published."""
    for name, count in (("NORMAL", 3), ("COVID-19", 2)):
        place = tmp_path / "adult" / name
        place.mkdir(parents=True)
        for number in range(count):
            cause = "" if name == "NORMAL" else "viral"
            (place / f"{number}.jpg").write_bytes(jpeg(number, cause))
    (tmp_path / "adult" / "metadata.csv").write_text("no film")
    return tmp_path / "adult"


def test_a_folder_gives_the_class_and_no_cause_is_guessed(folder: Path, tmp_path: Path) -> None:
    extra = load(folder, (32, 48), tmp_path / "cache")

    assert sorted(extra.targets) == [0, 0, 0, ANY_CAUSE, ANY_CAUSE]
    assert {size: films.shape for size, films in extra.pixels.items()} == {
        32: (5, 32, 32),
        48: (5, 48, 48),
    }


def test_each_class_is_sampled_equally_and_differently_each_time(
    folder: Path, tmp_path: Path
) -> None:
    extra = load(folder, (32,), tmp_path / "cache")

    one_of_each = [extra.sample(1, seed) for seed in range(20)]
    assert all(sorted(extra.targets[drawn]) == [0, ANY_CAUSE] for drawn in one_of_each)
    assert {int(place) for drawn in one_of_each for place in drawn} == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(extra.sample(1, 7), extra.sample(1, 7))
    assert sorted(extra.sample(1000, 0)) == [0, 1, 2, 3, 4]


def test_a_folder_of_one_class_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="both classes"):
        load(folder / "NORMAL", (32,), tmp_path / "cache")


def test_films_that_are_measured_on_are_refused(folder: Path, tmp_path: Path) -> None:
    films = load(folder, (32,), tmp_path / "cache").pixels[32]
    check_disjoint(films, pixel_digests(films[:0]))
    with pytest.raises(TrainingDataError, match="2 of the films"):
        check_disjoint(films, pixel_digests(films[3:]))


def test_two_arrays_are_indexed_as_one() -> None:
    generator = np.random.default_rng(0)
    films = generator.integers(0, 256, (9, 4, 4), dtype=np.uint8)
    order = generator.permutation(9)

    np.testing.assert_array_equal(StackedFilms(films[:5], films[5:])[order], films[order])
