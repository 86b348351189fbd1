"""What readers hand to each other: urgency, assignment, notes and views, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import EntryNotFoundError, HandoverError
from cxr_app.outcome import Priority, ScoringState
from cxr_app.worklist import Query, SavedView, Worklist
from cxr_app.worklist.events import EventKind
from cxr_app.worklist.tables import EventRow
from tests.support.outcomes import refused, scored, sha256

NOW = datetime.now(UTC)


def enter(worklist: Worklist, film: object, probability: float | None = 0.9, days: int = 0) -> str:
    """Receive a film that waits since some days; without a probability it is refused."""
    entry_id, _ = worklist.receive(sha256(film), str(film), Path("/a"), NOW - timedelta(days=days))
    if probability is None:
        worklist.record(refused(film, ScoringState.REJECTED, "it is turned"))
    else:
        worklist.record(scored(film, probability))
    return entry_id


def listed(worklist: Worklist, query: Query | None = None) -> list[str]:
    """Return the names of the films in order."""
    return [entry.source for entry in worklist.page(query or Query(), limit=1000)]


def happened(worklist: Worklist) -> list[tuple[str, str, str | None]]:
    """Return what was recorded, oldest first."""
    with worklist._database.reading() as session:
        rows = session.query(EventRow).order_by(EventRow.number)
        return [(row.kind, row.reader, row.detail) for row in rows]


def test_an_urgent_film_is_read_before_all_others(worklist: Worklist) -> None:
    enter(worklist, "likely", 0.999)
    enter(worklist, "past the cap", 0.9, days=30)
    unlikely = enter(worklist, "unlikely", 0.01)
    refusal = enter(worklist, "refused", None)
    worklist.room.urgency.mark(unlikely, "Ada", "  asked for\nby ICU ")
    worklist.room.urgency.mark(refusal, "Ada", "unwell")
    assert listed(worklist) == ["refused", "unlikely", "past the cap", "likely"]
    urgency = worklist.entry(unlikely).urgency
    assert urgency is not None
    assert (urgency.reader, urgency.reason) == ("Ada", "asked for by ICU")
    assert listed(worklist, Query(state="needs_a_person")) == ["refused"]


def test_it_is_undone_and_both_are_recorded(worklist: Worklist) -> None:
    enter(worklist, "likely", 0.999)
    unlikely = enter(worklist, "unlikely", 0.01)
    worklist.room.urgency.mark(unlikely, "Ada", "ICU")
    worklist.room.urgency.take_back(unlikely, "Bea")
    worklist.room.urgency.take_back(unlikely, "Bea")
    assert listed(worklist) == ["likely", "unlikely"]
    assert worklist.entry(unlikely).urgency is None
    assert happened(worklist) == [
        (EventKind.URGENT.value, "Ada", "ICU"),
        (EventKind.URGENCY_TAKEN_BACK.value, "Bea", "Ada"),
    ]


def test_it_stays_urgent_when_it_is_scored_again(worklist: Worklist) -> None:
    enter(worklist, "likely", 0.999)
    film = enter(worklist, "film", 0.3)
    worklist.room.urgency.mark(film, "Ada", "ICU")
    worklist.record(scored("film", 0.02, model_version="another"))
    assert listed(worklist) == ["film", "likely"]
    worklist.room.urgency.take_back(film, "Ada")
    assert listed(worklist) == ["likely", "film"]


def test_what_says_nothing_is_refused(worklist: Worklist) -> None:
    film = enter(worklist, "film")
    with pytest.raises(HandoverError, match="why"):
        worklist.room.urgency.mark(film, "Ada", " \n ")
    with pytest.raises(HandoverError, match="reader"):
        worklist.room.assignments.assign(film, " ", "Ada")
    with pytest.raises(HandoverError, match="note"):
        worklist.room.notes.write(film, "Ada", "  ")
    with pytest.raises(HandoverError, match="name"):
        worklist.room.views.save("Ada", SavedView(" ", {}, {}))
    with pytest.raises(EntryNotFoundError):
        worklist.room.urgency.mark("0" * 32, "Ada", "ICU")
    worklist.mark_read(film, "Ada")
    with pytest.raises(HandoverError, match="read"):
        worklist.room.urgency.mark(film, "Ada", "ICU")
    assert happened(worklist) == []


def test_urgent_films_are_counted_until_they_are_read(worklist: Worklist) -> None:
    assert worklist.room.urgency.waiting().films == 0
    first, second = enter(worklist, "first"), enter(worklist, "second", None)
    worklist.room.urgency.mark(first, "Ada", "ICU")
    worklist.room.urgency.mark(second, "Bea", "ward")
    waiting = worklist.room.urgency.waiting()
    assert (waiting.films, waiting.newest_by) == (2, "Bea")
    worklist.mark_read(second, "Ada")
    worklist.mark_read(first, "Ada")
    assert worklist.room.urgency.waiting().films == 0


def test_pages_neighbours_and_counts_agree(worklist: Worklist) -> None:
    draw = np.random.default_rng(1)
    for film in range(30):
        probability = draw.choice([-1, 0.01, 0.3, 0.6, 0.95, 0.999])
        entry_id = enter(
            worklist, film, None if probability < 0 else float(probability), int(draw.integers(6))
        )
        if draw.random() < 0.4:
            worklist.room.urgency.mark(entry_id, "Ada", "ICU")
        if draw.random() < 0.5:
            worklist.room.assignments.assign(entry_id, "Ada", "Bea")
        if draw.random() < 0.2:
            worklist.mark_read(entry_id, "Ada")
    queries = [
        Query(),
        Query(state="all"),
        Query(assigned_to="Ada"),
        Query(assigned_to="Ada", sort="received_at"),
        Query(assigned_to="Ada", sort="priority", descending=True),
        Query(assigned_to="Ada", state="needs_a_person"),
        Query(state="needs_a_person"),
        Query(flag="flagged", tier=Priority.HIGH),
        Query(text="1"),
        Query(text="1", assigned_to="Ada"),
        Query(sort="state"),
    ]
    for query in queries:
        whole = worklist.page(query, limit=1000)
        assert worklist.count(query) == len(whole)
        ids = [entry.id for entry in whole]
        assert len(set(ids)) == len(ids)
        if not query.sort:
            waiting = [entry.urgency is None for entry in whole if entry.read_at is None]
            assert waiting == sorted(waiting), "urgent films are first"
        paged = [e.id for at in range(0, len(ids), 3) for e in worklist.page(query, at, 3)]
        assert paged == ids
        for at in range(0, len(ids), 7):
            before = ids[at - 1] if at else None
            after = ids[at + 1] if at + 1 < len(ids) else None
            assert worklist.neighbours(query, ids[at]) == (before, after)


def test_my_list_has_what_is_assigned_to_me(worklist: Worklist) -> None:
    films = [enter(worklist, name) for name in ("one", "two", "three")]
    worklist.room.assignments.assign(films[0], "Ada", "Bea")
    worklist.room.assignments.assign(films[1], "Ada", "Bea")
    worklist.room.assignments.assign(films[1], "Cleo", "Bea")
    assert listed(worklist, Query(assigned_to="Ada")) == ["one"]
    assert listed(worklist, Query(assigned_to="Cleo")) == ["two"]
    assert listed(worklist, Query(assigned_to="")) == []
    assert worklist.count(Query(assigned_to="Ada")) == 1
    worklist.room.assignments.end(films[0], "Ada")
    worklist.room.assignments.end(films[0], "Ada")
    assert listed(worklist, Query(assigned_to="Ada")) == []
    assert [kind for kind, *_ in happened(worklist)] == ["ASSIGNED"] * 3 + ["ASSIGNMENT_ENDED"]


def test_readers_of_late_are_offered(worklist: Worklist) -> None:
    film = enter(worklist, "film")
    worklist.reviews.add(film, "Cleo", comment="seen")
    worklist.reviews.add(film, "Ada", comment="seen")
    assert worklist.room.assignments.readers() == ["Ada", "Cleo"]


def test_a_note_is_open_until_someone_has_dealt_with_it(worklist: Worklist) -> None:
    film, other = enter(worklist, "film"), enter(worklist, "other")
    worklist.room.notes.write(film, "Ada", " Compare with the CT. ")
    worklist.room.notes.write(film, "Ada", "Call the ward.")
    first, second = worklist.room.notes.of_films([film, other])[film]
    assert (first.text, first.reader, first.settled_at) == ("Compare with the CT.", "Ada", None)
    worklist.room.notes.settle(first.number, "Bea")
    worklist.room.notes.settle(first.number, "Cleo")
    first, again = worklist.room.notes.of_films([film])[film]
    assert first.settled_by == "Bea"
    assert again == second
    assert worklist.room.notes.of_films([other]) == {}


def test_views_are_each_readers_own(worklist: Worklist) -> None:
    views = worklist.room.views
    views.save("Ada", SavedView("Night", {"flag": "flagged"}, {"hidden": ["source"]}))
    views.save("Ada", SavedView(" Night ", {"state": "all"}, {}))
    views.save("Bea", SavedView("Night", {}, {}))
    assert views.of_reader("Ada") == [SavedView("Night", {"state": "all"}, {})]
    views.remove("Ada", "Night")
    views.remove("Ada", "Night")
    assert views.of_reader("Ada") == []
    assert len(views.of_reader("Bea")) == 1
