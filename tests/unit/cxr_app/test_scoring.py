"""What of a file is known before any network sees it."""

from typing import Any

import numpy as np
import pytest

from cxr_app.examined import refusal
from cxr_app.model.preprocessing import InputSpec
from cxr_app.outcome import ScoringState
from cxr_app.pose import Pose
from cxr_app.scoring import examine
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.films import jpeg

SPEC = InputSpec(size=64, mean=0.5, standard_deviation=0.2)


@pytest.mark.parametrize(
    ("data", "may_be_chest"),
    [
        (b"hello, I am no film", False),
        (b"", True),
        (jpeg(7)[:1500], True),
        (dicom_bytes(radiograph_dataset(film_pixels(), Modality="CT")), False),
        (dicom_bytes(radiograph_dataset(film_pixels(), BodyPartExamined="HAND")), False),
        (dicom_bytes(radiograph_dataset(film_pixels(), ViewPosition="LL")), True),
    ],
    ids=["text", "empty", "cut short", "CT", "hand", "lateral"],
)
def test_what_is_plainly_no_chest_film_is_known(data: bytes, may_be_chest: bool) -> None:
    assert refusal(examine(data, SPEC)).may_be_chest is may_be_chest


@pytest.mark.parametrize(
    "header",
    [{"Modality": "CT"}, {"BodyPartExamined": "HAND"}, {"ViewPosition": "LL"}],
    ids=["CT", "hand", "lateral"],
)
def test_a_readers_word_counts_more_than_a_header(header: dict[str, Any]) -> None:
    film = examine(dicom_bytes(radiograph_dataset(film_pixels(), **header)), SPEC, pose=Pose(1))
    assert film.refused is None
    assert film.pose == Pose(1)
    assert (film.facts.columns, film.facts.rows) == film_pixels().shape


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"hello, I am no film", ScoringState.FAILED),
        (
            dicom_bytes(radiograph_dataset(np.full((300, 300), 900, np.uint16))),
            ScoringState.REJECTED,
        ),
    ],
    ids=["text", "blank"],
)
def test_no_word_makes_unfit_pixels_fit(data: bytes, state: ScoringState) -> None:
    film = examine(data, SPEC, pose=Pose())
    assert film.refused is not None
    assert film.refused[0] is state
    assert refusal(film).pose == Pose()
