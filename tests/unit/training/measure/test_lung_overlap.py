"""Lungs are compared with outlines film by film, in all and by acquisition group."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as PillowImage

from cxr_app.errors import TrainingDataError
from cxr_app.lung_fields import LungFields
from cxr_app.model.classifier import Classifier
from cxr_app.model.networks.lung_unet import LUNG_SIDE
from cxr_app.prediction import Prediction
from training.data.dataset import LabelledFilm
from training.data.outlines import read_masks
from training.measure.lung_overlap import dice, lung_overlap

MASKS = arrays(np.bool_, (2, 6, 5), elements=st.booleans())


class FindsBrightPixels(Classifier):
    """A classifier whose lungs are the bright pixels of a film of 96 x 96."""

    def __init__(self, *, looks_for_lungs: bool = True) -> None:
        self._looks_for_lungs = looks_for_lungs

    def prepare(self, image: np.ndarray) -> np.ndarray:
        return image

    def predict(self, inputs: Sequence[np.ndarray]) -> list[Prediction]:
        return [
            Prediction(
                *(0.1, 0.1, np.zeros((1, 1), np.float32), "stub"),
                lungs=LungFields(image > 0.5, found=True) if self._looks_for_lungs else None,
            )
            for image in inputs
        ]


@pytest.fixture
def films(tmp_path: Path) -> list[LabelledFilm]:
    """Films whose left half, or left quarter is bright."""
    found = []
    for number in range(6):
        grey = np.zeros((LUNG_SIDE, LUNG_SIDE), np.uint8)
        grey[:, : LUNG_SIDE // (2 if number % 2 else 4)] = 255
        path = tmp_path / f"{number}.png"
        PillowImage.fromarray(grey).save(path)
        found.append(LabelledFilm(path, "NORMAL", "", f"patient {number}", ""))
    return found


def left_half() -> np.ndarray:
    return np.arange(LUNG_SIDE)[None, :].repeat(LUNG_SIDE, axis=0) < LUNG_SIDE // 2


@given(MASKS, MASKS)
def test_dice_is_the_share_that_both_have(masks: np.ndarray, others: np.ndarray) -> None:
    found = dice(masks, others)
    np.testing.assert_array_equal(found, dice(others, masks))
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(dice(masks, masks), masks.any(axis=(1, 2)))
    np.testing.assert_array_equal(dice(masks, ~masks), np.zeros(2))


def test_groups_are_measured_apart(films: list[LabelledFilm]) -> None:
    outlines = {film.path.name: left_half() for film in films[:5]}  # the last has none
    groups = {str(film.path): "whole" if n % 2 else "half" for n, film in enumerate(films)}
    rows = {row["name"]: row for row in lung_overlap(FindsBrightPixels(), films, outlines, groups)}
    assert {name: row["n"] for name, row in rows.items()} == {"all": 5, "half": 3, "whole": 2}
    assert rows["whole"]["dice"] == 1
    assert rows["half"]["dice"] == pytest.approx(2 / 3)
    assert rows["all"]["dice_worst_twentieth"] == pytest.approx(2 / 3)
    assert rows["all"]["dice_ci95"][0] <= rows["all"]["dice"] <= rows["all"]["dice_ci95"][1]


def test_a_film_that_cannot_be_read_is_left_out(films: list[LabelledFilm]) -> None:
    outlines = {film.path.name: left_half() for film in films}
    films[0].path.write_bytes(b"no film")
    (row,) = lung_overlap(FindsBrightPixels(), films, outlines, {})
    assert row["n"] == 5


def test_a_network_that_looks_for_no_lungs_has_no_figures(films: list[LabelledFilm]) -> None:
    outlines = {film.path.name: left_half() for film in films}
    assert lung_overlap(FindsBrightPixels(looks_for_lungs=False), films, outlines, {}) == []


def test_masks_are_read_as_they_were_packed(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).random((3, LUNG_SIDE, LUNG_SIDE)) < 0.5
    bits = np.packbits(masks.reshape(3, -1), axis=1)
    np.savez(tmp_path / "lungs.npz", name=np.array(["a", "b", "c"]), bits=bits)
    found = read_masks(tmp_path / "lungs.npz")
    assert list(found) == ["a", "b", "c"]
    np.testing.assert_array_equal(np.stack(list(found.values())), masks)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_file_without_outlines_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lungs.npz").write_bytes(content)
    with pytest.raises(TrainingDataError, match=r"lungs\.npz"):
        read_masks(tmp_path / "lungs.npz")
