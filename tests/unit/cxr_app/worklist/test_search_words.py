"""A search is met by what the list shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.ui.text.formatting import person_name
from cxr_app.worklist.search import words
from cxr_app.worklist.search_text import search_text

LETTERS = st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=9)
PARTS = st.lists(LETTERS, min_size=1, max_size=3)


@given(family=PARTS, given_names=PARTS)
def test_a_name_as_the_list_shows_it_finds_the_film(
    family: list[str], given_names: list[str]
) -> None:
    stored = f"{' '.join(family)}^{' '.join(given_names)}^^Dr"
    covered = search_text("0" * 32, "film.dcm", "PAT-1", stored)
    assert all(word in covered for word in words(person_name(stored)))


@pytest.mark.parametrize("search", ["", " ", ",", " , ,", ", ,"])
def test_a_comma_alone_asks_for_nothing(search: str) -> None:
    assert words(search) == []


def test_a_comma_within_a_word_is_part_of_it() -> None:
    assert words("1,5 Weiss, Anna") == ["1,5", "weiss", "anna"]
