"""Titles of programs on a DICOM network."""

import pytest

from cxr_app.ae_title import is_ae_title


@pytest.mark.parametrize("title", ["A", "CT 1", "SIXTEEN_LETTERS_", "a@b=c^"])
def test_a_title_that_a_program_can_have_is_one(title: str) -> None:
    assert is_ae_title(title)


@pytest.mark.parametrize(
    "title",
    ["", " ", " A", "A ", "A\\B", "SEVENTEEN_LETTERS", "\u00c4\u00d6", "A\nB", "A\n", "A\x7f"],
)
def test_a_title_that_none_can_have_is_not(title: str) -> None:
    assert not is_ae_title(title)
