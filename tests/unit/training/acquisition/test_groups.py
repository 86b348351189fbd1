import numpy as np
import pytest
from scipy import ndimage

from tests.support.machines import of_machine, plain
from training.acquisition.fingerprint import (
    FEATURES,
    SIDE,
    find_marker,
    fingerprint,
    fingerprints,
    spectrum,
)
from training.acquisition.groups import ALL_ALIKE, FEWEST, find_groups, one_class_groups


@pytest.fixture(scope="module")
def films() -> np.ndarray:
    machine = [of_machine(seed) for seed in range(30)]
    return np.array([*machine, *(plain(seed) for seed in range(30, 70))])


def test_a_fingerprint_has_a_number_for_every_name() -> None:
    for film in (plain(0), np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8)):
        features = fingerprint(film)

        assert features.shape == (len(FEATURES),)
        assert np.isfinite(features).all()


def test_blurring_lowers_the_fine_bands_and_contrast_does_not() -> None:
    film = plain(3)
    soft = ndimage.gaussian_filter(film, 1.5)
    flat = (film // 2 + 60).astype(np.uint8)

    assert (spectrum(soft)[[4, 5, 10, 11]] < spectrum(film)[[4, 5, 10, 11]] - 1).all()
    np.testing.assert_allclose(spectrum(flat)[:3], spectrum(film)[:3], atol=0.3)


def test_the_marker_is_found_where_it_is() -> None:
    film = np.full((SIDE, SIDE), 30, dtype=np.uint8)
    film[40:56, 12:15], film[40:43, 12:22], film[47:50, 12:22] = 220, 220, 220

    marker = find_marker(film)

    assert (marker.row, marker.column, marker.height, marker.width) == (40, 12, 16, 10)
    assert find_marker(np.full((SIDE, SIDE), 30, dtype=np.uint8)).contrast == 0


def test_no_films_have_no_fingerprints() -> None:
    empty = np.zeros((0, SIDE, SIDE), dtype=np.uint8)

    assert fingerprints(empty).shape == (0, len(FEATURES))
    assert find_groups(empty) == []


def test_few_films_are_one_group(films: np.ndarray) -> None:
    assert set(find_groups(films[: 2 * FEWEST - 1])) == {ALL_ALIKE}


def test_the_machine_that_writes_is_a_group_of_its_own(films: np.ndarray) -> None:
    groups = find_groups(films)

    assert sum(name == "KV" for name in groups[:30]) >= 27
    assert "KV" not in groups[30:]


def test_groups_are_the_same_each_time_and_none_is_small(films: np.ndarray) -> None:
    groups = find_groups(films)

    assert groups == find_groups(films)
    assert min(groups.count(name) for name in set(groups)) >= FEWEST - 5


def test_sizes_that_are_all_the_same_change_nothing(films: np.ndarray) -> None:
    shapes = np.full((len(films), 2), 224)

    assert find_groups(films, shapes) == find_groups(films)


def test_a_group_of_one_class_is_named() -> None:
    names = ["a", "b", "a", "b", "c"]

    assert one_class_groups(names, [True, True, True, False, False]) == ["a", "c"]
