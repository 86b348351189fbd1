"""No cell becomes a formula, however a spreadsheet parts the row, and none loses its text."""

import csv
import io
import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxr_app.jobs.csv_cells import as_cell, text_of

FORMULAS = tuple("=+-@")
HOSTILE = st.text(
    st.sampled_from("=+-@'\"\t\r\n,;|: a\u00a0\u3000\uff1d\uff0b\uff0d\uff20\uff1b\uff0c\ufeff\0")
    | st.characters(categories=["Cf"]),
    max_size=12,
)
IGNORED = "\u034f\u115f\u3164\uffa0\ufe0f\U000e0100"
"""Characters that are shown as nothing, though not of category Cf."""
TEXTS = st.one_of(HOSTILE, st.text(max_size=30), st.text(st.characters(categories=["Cs", "L"])))
SEPARATORS = [",", ";", "\t", "|"]


def first_sign(cell: str) -> str:
    """What a lenient spreadsheet sees first: no blanks, no quotes, wide signs as narrow ones."""
    skipped = re.compile(f'[\\s"\x00-\x1f\x7f{IGNORED}]')
    seen = (each for each in skipped.sub("", cell) if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", "".join(seen))[:1]


@given(TEXTS)
@example("'=1")
@example("''")
@example("\t'\r=")
def test_the_text_comes_back(text: str) -> None:
    assert text_of(as_cell(text)) == text


@given(st.lists(HOSTILE, min_size=1, max_size=4), st.sampled_from(SEPARATORS))
@example(["film;=cmd|'/c calc'!A0.jpg"], ";")
@example(["a", 'b\n=1+1"'], ";")
@example(["a", "b;\uff1d1"], ";")
@example([' "=1'], ",")
def test_no_part_of_a_row_begins_a_formula(texts: list[str], separator: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([as_cell(text) for text in texts])
    row = file.getvalue()
    strict = [cell for cells in csv.reader(io.StringIO(row, newline="")) for cell in cells]
    lenient = re.split(f"[{re.escape(separator)}\r\n]", row)  # one to whom quotes mean nothing
    for cell in [*strict, *lenient]:
        assert first_sign(cell) not in FORMULAS


@pytest.mark.parametrize("sign", FORMULAS)
def test_no_character_that_is_shown_as_nothing_hides_a_formula(sign: str) -> None:
    formats = (chr(code) for code in range(sys.maxunicode))
    for each in (*IGNORED, *(each for each in formats if unicodedata.category(each) == "Cf")):
        for text in (f"{each}{sign}1", f"a;{each} {each}{sign}1"):
            assert first_sign(as_cell(text).rpartition(";")[2]) == "'", f"U+{ord(each):04X}"
            assert text_of(as_cell(text)) == text


@pytest.mark.parametrize(
    "text", ["a-b_c+d=e@f.jpg", "2026-10/IM-0001.dcm", "Doe, J - 1.png", "a\u200cb-1.png", ""]
)
def test_a_harmless_name_stays_as_it_is(text: str) -> None:
    assert as_cell(text) == text
