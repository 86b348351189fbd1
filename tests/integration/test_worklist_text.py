"""Text of any content is kept, and found again."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from cxr_app.radiograph import Header
from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import scored, sha256

PATH = Path("/films/ab/film")
HEADER = Header(
    patient_id="P-1",
    patient_name="MÜLLER^ANNA",
    patient_age="011M",
    accession_number="A_100%",
    study_description="Thorax pa",
)


def receive(worklist: Worklist, film: object, received_at: datetime | None = None) -> str:
    return worklist.receive(sha256(film), f"ward/{film}.dcm", PATH, received_at)[0]


@pytest.mark.parametrize(
    "text",
    [
        *("p-1", "MÜLLER", "müller anna", "^anna", "a_100%", "thorax  PA", "ward/1.DCM"),
        "Mu\u0308ller",  # the same letter written as two
    ],
)
def test_a_search_finds_words_in_any_case(worklist: Worklist, text: str) -> None:
    entry_id = receive(worklist, 1)
    receive(worklist, 2)
    worklist.record(scored(1, header=HEADER))
    assert [entry.id for entry in worklist.page(Query(text=text))] == [entry_id]
    assert worklist.count(Query(text=text)) == 1


@pytest.mark.parametrize("text", ["%", "_", "p%1", "müller otto", "\\", "/%", "\x00", "'; --"])
def test_a_search_takes_every_sign_literally(worklist: Worklist, text: str) -> None:
    receive(worklist, 1)
    worklist.record(scored(1, header=Header(patient_id="P-1", patient_name="MÜLLER^ANNA")))
    assert worklist.count(Query(text=text)) == 0


def test_a_search_finds_the_short_form_of_an_id_and_no_part_of_it(worklist: Worklist) -> None:
    ids = [worklist.receive(sha256(film), "-", PATH)[0] for film in range(20)]
    for entry_id in ids:
        for text in (entry_id[:8], entry_id[:8].upper(), entry_id):
            assert [entry.id for entry in worklist.page(Query(text=text))] == [entry_id]
        assert worklist.count(Query(text=entry_id[:3])) == 0


def test_a_search_of_any_length_is_answered(worklist: Worklist) -> None:
    receive(worklist, 1)
    assert worklist.count(Query(text="x" * 100_000)) == 0
    assert worklist.count(Query(text="x " * 50_000)) == 0


@pytest.mark.parametrize("text", ["\U0010f123", "x" * 5000, "日本語" * 900, "=1+1", "\ue001"])
def test_text_of_any_content_comes_back_as_it_was(worklist: Worklist, text: str) -> None:
    entry_id, _ = worklist.receive(sha256(1), text, PATH)
    header = Header(patient_name=text[:300], patient_id=text[-300:])
    worklist.record(scored(1, header=header))
    entry = worklist.entry(entry_id)
    assert (entry.source, entry.header) == (text, header)
    assert worklist.count(Query(text=text[-20:])) == 1


def test_what_no_database_can_write_is_replaced(worklist: Worklist) -> None:
    entry_id, _ = worklist.receive(sha256(1), "caf\udce9.dcm", PATH)
    worklist.record(scored(1, header=Header(patient_name="NUL\x00IN\ud800IT")))
    entry = worklist.entry(entry_id)
    assert entry.source == "caf\ufffd.dcm"
    assert entry.header == Header(patient_name="NUL\ufffdIN\ufffdIT")
    assert worklist.count(Query(text="NUL\x00IN")) == 1


def test_a_path_in_no_known_encoding_still_leads_to_its_file(worklist: Worklist) -> None:
    path = Path(os.fsdecode(b"/films/caf\xe9/\xff.dcm"))
    entry_id, _ = worklist.receive(sha256(1), "-", path)
    assert worklist.entry(entry_id).path == path


def test_a_header_beyond_all_bounds_is_cut_and_not_lost(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1, header=Header(patient_name="日" * 100_000)))
    header = worklist.entry(entry_id).header
    assert header is not None
    assert header.patient_name == "日" * 400
