"""What of a file is known before any network sees it."""

import pytest

from cxr_app.model.preprocessing import InputSpec
from cxr_app.scoring import examine, refusal
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
