"""What masking leaves of an entry: a short id, and nothing that names the patient."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cxr_app.radiograph import Header
from cxr_app.ui.masking import masked
from cxr_app.worklist import Entry

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
IDENTIFYING = ("patient_id", "patient_name", "patient_birth_date", "accession_number")

names = st.text(st.characters(categories=("L", "N")), min_size=9, max_size=24)


def entry(source: str = "film.dcm", header: Header | None = None) -> Entry:
    return Entry("e" * 32, "0" * 64, source, Path("/kept"), datetime.now(UTC), header=header)


def words(shown: Entry) -> str:
    """Everything that a page could show of an entry."""
    header = shown.header or Header()
    return "\n".join([shown.source, *(getattr(header, each.name) for each in fields(header))])


@given(st.fixed_dictionaries(dict.fromkeys(IDENTIFYING, names)), names)
def test_nothing_that_names_the_patient_is_left(facts: dict[str, str], folder: str) -> None:
    shown = masked(entry(f"/{folder}/film.dcm", Header(view_position="PA", **facts)), KEY)
    assert not [fact for fact in (*facts.values(), folder) if fact in words(shown)]
    assert shown.header is not None
    assert shown.header.view_position == "PA"
    assert shown.source.endswith(".dcm")


@given(names, names)
def test_a_patient_has_one_short_id_and_another_patient_another(first: str, second: str) -> None:
    def short(patient_id: str, key: bytes = KEY) -> str:
        header = masked(entry(header=Header(patient_id=patient_id)), key).header
        assert header is not None
        return header.patient_id

    assert short(first) == short(first)
    assert (short(first) == short(second)) == (first == second)
    assert short(first) != short(first, OTHER_KEY)


def test_what_is_not_there_is_not_made_up() -> None:
    header = masked(entry(header=Header()), KEY).header
    assert header == Header()
    assert masked(entry(source=""), KEY).source == ""
    assert masked(entry(source="Anna.Weissenberg"), KEY).source.startswith("F-")
    assert "Weissenberg" not in masked(entry(source="Anna.Weissenberg"), KEY).source
