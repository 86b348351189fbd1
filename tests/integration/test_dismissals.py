"""Files that are plainly no chest films: last in the list, marked as read at once, and back."""

from dataclasses import replace
from pathlib import Path

from cxr_app.outcome import ScoringState
from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import refused, scored, sha256


def enter(worklist: Worklist, film: str, *, may_be_chest: bool) -> str:
    """Receive and refuse a file."""
    entry_id, _ = worklist.receive(sha256(film), film, Path("/"))
    outcome = refused(film, ScoringState.REJECTED, "it is turned or a CT image")
    worklist.record(replace(outcome, may_be_chest=may_be_chest))
    return entry_id


def test_what_is_no_chest_film_is_read_last_and_what_may_be_one_first(worklist: Worklist) -> None:
    other = enter(worklist, "ct", may_be_chest=False)
    turned = enter(worklist, "turned", may_be_chest=True)
    unlikely, _ = worklist.receive(sha256("unlikely"), "-", Path("/"))
    worklist.record(scored("unlikely", 0.01))
    assert [entry.id for entry in worklist.page(Query())] == [turned, unlikely, other]
    refusals = worklist.page(Query(state="needs_a_person"))
    assert [entry.id for entry in refusals] == [turned, other]


def test_they_are_marked_as_read_at_once_and_no_other_film_is(worklist: Worklist) -> None:
    for number in range(3):
        enter(worklist, f"ct {number}", may_be_chest=False)
    turned = enter(worklist, "turned", may_be_chest=True)
    assert worklist.dismissals.waiting() == 3
    dismissal = worklist.dismissals.dismiss("Ada")
    assert (dismissal.reader, dismissal.files) == ("Ada", 3)
    assert [entry.id for entry in worklist.page(Query())] == [turned]
    assert {entry.read_by for entry in worklist.page(Query(state="read"))} == {"Ada"}
    assert worklist.counts().read == 3


def test_it_is_taken_back_for_those_files_alone(worklist: Worklist) -> None:
    before, again = (enter(worklist, name, may_be_chest=False) for name in ("before", "again"))
    worklist.mark_read(before, "Ada")
    dismissal = worklist.dismissals.dismiss("Ada")
    enter(worklist, "later", may_be_chest=False)
    assert worklist.dismissals.undo(dismissal) == 1
    assert worklist.entry(again).read_at is None
    assert worklist.entry(before).read_at is not None
    assert worklist.dismissals.waiting() == 2
    assert worklist.dismissals.undo(dismissal) == 0
