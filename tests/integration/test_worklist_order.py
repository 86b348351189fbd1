"""The order of the list, against the same order written as one plain sort."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.outcome import Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.view_words import LATERAL, REASONS
from cxr_app.worklist import (
    LIST_STATES,
    SORTABLE,
    Entry,
    Query,
    SecondReading,
    SecondReadingState,
    Verdict,
    Worklist,
)
from cxr_app.worklist.tables import SORT_INDEXES
from tests.integration.conftest import DatabaseFactory
from tests.support.outcomes import refused, scored, sha256

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILMS = 96
NO_CHEST = "a CT image"
LATERAL_FILM = "This film cannot be judged: " + REASONS[LATERAL]
HEADER_NAMES = set(get_type_hints(Header))
DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}


SECOND: dict[str, SecondReading] = {}
"""The second readings that `_fill` begins, by the film."""


def _fill(worklist: Worklist) -> None:
    """Receive films of every kind, many of them alike, so that ties and gaps are common."""
    chance = random.Random(7)  # noqa: S311 - any order will do
    for film in range(FILMS):
        received_at = NOW - timedelta(hours=chance.choice((1, 5, 24, 71.99, 72, 100, 200)))
        source = chance.choice(("ward/a.dcm", "Ward/B.dcm", f"ward/{film}.jpg"))
        entry_id, _ = worklist.receive(sha256(film), source, Path(f"/{film % 5}"), received_at)
        header = Header(
            patient_id=chance.choice(("", "P-1", "P-2", "p-3")),
            patient_name=chance.choice(("", "ÅSA^B", "Zoë^A", "adam^C", "ADAM^D")),
            patient_age=chance.choice(("", "002Y", "011M", "030D", "090Y")),
            patient_sex=chance.choice(("", "F", "M")),
            study_date=chance.choice(("", "20260101", "20260228")),
            acquisition_date=chance.choice(("", "", "20260227", "20260228", "20251201", "soon")),
            acquisition_time=chance.choice(("", "0915", "235959.5")),
            timezone_offset_from_utc=chance.choice(("", "+0530")),
            study_instance_uid=chance.choice(("", "1.2", "1.3", f"1.4.{film}")),
        )
        if chance.random() < 0.5:
            header = replace(header, patient_id="P-1", patient_name="ÅSA^B", patient_sex="F")
        probability = chance.choice((0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 0.98, 0.99, 1.0))
        point = chance.choice(("balanced", "high_sensitivity"))
        kind = chance.randrange(6)
        if kind < 4:
            outcome = scored(
                film, probability, header=header if kind else None, operating_point=point
            )
            worklist.record(outcome, NOW - timedelta(minutes=film % 3))
        elif kind == 4:
            state = chance.choice(list(ScoringState)[1:])
            reason = chance.choice(("turned", NO_CHEST, LATERAL_FILM))
            chest = reason != NO_CHEST
            outcome = replace(refused(film, state, reason), header=header)
            worklist.record(replace(outcome, may_be_chest=chest), NOW)
        if chance.random() < 0.3:
            worklist.mark_read(entry_id)
        if chance.random() < 0.3:
            worklist.room.second_readings.ask(entry_id, "Ada")
            for reader in ("Ada", "Bela", "Cleo")[: chance.randrange(4)]:
                worklist.reviews.add(
                    entry_id, reader, chance.choice((Verdict.UNUSABLE, Verdict.UNSURE))
                )
            SECOND[sha256(film)] = worklist.room.second_readings.of_films([entry_id])[entry_id]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worklist]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('order') / 'worklist.sqlite'}"
    else:
        server = request.getfixturevalue("postgres")
        server.execute("CREATE DATABASE worklist_order")
        url = server.url("worklist_order")
    worklist = Worklist.open(url, clock=lambda: NOW)
    _fill(worklist)
    yield worklist
    worklist.close()


def _matches(entry: Entry, query: Query) -> bool:
    read = entry.read_at is not None
    refused = entry.state in (ScoringState.REJECTED, ScoringState.FAILED)
    header, twice = entry.header or Header(), SECOND.get(entry.sha256)
    second = twice.state if twice else None
    texts = (
        *(header.patient_id, header.patient_name, header.accession_number),
        *(header.study_description, entry.source),
    )
    return (
        {
            "unread": not read,
            "read": read,
            "all": True,
            "needs_a_person": not read and refused,
            "second_reading": (second is SecondReadingState.WAITING and query.reader != "Ada"),
            "disagreement": second is SecondReadingState.DISAGREED,
        }[query.state]
        and {"any": True, "flagged": entry.flagged is True, "not_flagged": entry.flagged is False}[
            query.flag
        ]
        and (query.tier is None or (entry.flagged is not None and entry.priority is query.tier))
        and all(any(word in text.casefold() for text in texts) for word in query.text.split())
    )


def _place(entry: Entry) -> tuple[Any, ...]:
    tiers = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)
    priority = entry.priority or Priority.MEDIUM
    return (
        entry.read_at is not None,
        not entry.flagged,
        tiers.index(priority),
        _band(entry),
        entry.waits_since,
        -(entry.pneumonia_probability or 0.0),
    )


def _band(entry: Entry) -> int:
    """The band of a film's probability, written out."""
    if entry.reason == NO_CHEST:
        return 9
    probability = entry.pneumonia_probability
    if probability is None or probability >= 0.99:
        return 0
    return 1 if probability >= 0.9 else 2 if probability >= 0.7 else 3


def _value(entry: Entry, name: str) -> Any:
    """What a person means by the order of a column; None where there is nothing."""
    value = getattr(entry.header, name, None) if name in HEADER_NAMES else getattr(entry, name)
    if name == "patient_age" and value:
        return round(int(value[:-1]) * DAYS[value[-1]])
    if name == "priority" and value is not None:
        return [Priority.LOW, Priority.MEDIUM, Priority.HIGH].index(value)
    if isinstance(value, ScoringState):
        return value.value
    if isinstance(value, Path):
        return os.fsencode(value)
    return None if value in ("", 0) and not isinstance(value, float | bool) else value


def _expected(entries: list[Entry], query: Query) -> list[str]:
    """Sort in memory what the database walks; `entries` come as received."""
    found = sorted((entry for entry in entries if _matches(entry, query)), key=_place)
    if query.by_study:
        found = _one_of_each_study(found, query)
    if query.sort:
        valued = [entry for entry in found if _value(entry, query.sort) is not None]
        valued.sort(key=lambda entry: _value(entry, query.sort), reverse=query.descending)
        if query.descending:  # a reversed sort of Python's keeps equals in their order
            valued.sort(key=lambda entry: _value(entry, query.sort), reverse=True)
        return [e.id for e in valued + [e for e in found if _value(e, query.sort) is None]]
    return [entry.id for entry in sorted(found, key=lambda entry: _rank(entry, query))]


def _rank(entry: Entry, query: Query) -> int:
    if entry.read_at is not None:
        return 3
    if entry.reason == NO_CHEST:
        return 2
    return 0 if NOW - entry.waits_since >= query.waiting_cap else 1


def _one_of_each_study(found: list[Entry], query: Query) -> list[Entry]:
    """Keep of each study the film that comes first: a lateral one after all but no chest film."""

    def urgency(entry: Entry) -> tuple[Any, ...]:
        rank = _rank(entry, query)
        return rank == 3, rank == 2 or entry.reason == NO_CHEST, entry.reason == LATERAL_FILM, rank

    first: dict[object, Entry] = {}
    for entry in sorted(found, key=urgency):  # keeps equals in their order
        header = entry.header or Header()
        study = header.study_instance_uid and (
            *(header.study_instance_uid, header.patient_id, header.patient_name),
            header.patient_sex,
        )
        first.setdefault(study or entry.id, entry)
    kept = {entry.id for entry in first.values()}
    return [entry for entry in found if entry.id in kept]


@pytest.fixture(scope="module")
def received(filled: Worklist) -> list[Entry]:
    """Every film, as received."""
    entries = [filled.entry_by_sha256(sha256(film)) for film in range(FILMS)]
    return [entry for entry in entries if entry is not None]


queries = st.builds(
    Query,
    state=st.sampled_from(LIST_STATES),
    reader=st.sampled_from(("", "Ada", "Bela")),
    flag=st.sampled_from(("any", "any", "flagged", "not_flagged")),
    tier=st.sampled_from((None, None, None, *Priority)),
    text=st.sampled_from(("", "", "w", "a.", "ward", "adam", "b.dcm", "åsa ward", "nothing")),
    sort=st.sampled_from(("", "", *sorted(SORTABLE))),
    descending=st.booleans(),
    by_study=st.booleans(),
    waiting_cap=st.sampled_from([timedelta(hours=hours) for hours in (0, 24, 72, 10_000)]),
)

on_one_list = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@on_one_list
@given(query=queries, size=st.integers(1, 30))
def test_paging_yields_every_matching_film_once_and_in_order(
    filled: Worklist, received: list[Entry], query: Query, size: int
) -> None:
    expected = _expected(received, query)
    pages = [filled.page(query, offset, size) for offset in range(0, FILMS + size, size)]
    assert [entry.id for page in pages for entry in page] == expected
    assert filled.count(query) == len(expected)


@on_one_list
@given(query=queries, size=st.integers(1, 30))
def test_the_order_does_not_hang_on_how_it_is_found(
    filled: Worklist, received: list[Entry], query: Query, size: int
) -> None:
    """Few films count as many, and few values of a column as many: the other ways are taken."""
    expected = _expected(received, query)
    with (
        patch("cxr_app.worklist.trigrams_of_sqlite.FEW", 0),
        patch("cxr_app.worklist.trigrams_of_postgresql.FEW", 0),
        patch("cxr_app.worklist.list_segments.MOST_VALUES", 0),
    ):
        pages = [filled.page(query, offset, size) for offset in range(0, FILMS + size, size)]
        assert [entry.id for page in pages for entry in page] == expected
        assert filled.count(query, at_most=5) in (len(expected), 5)
        for before, at in pairwise(expected):
            assert filled.neighbours(query, at)[0] != at
            assert filled.neighbours(query, before)[1] == at


@on_one_list
@given(query=queries)
def test_neighbours_agree_with_the_order_of_the_pages(filled: Worklist, query: Query) -> None:
    ids: list[str | None] = [entry.id for entry in filled.page(query, limit=FILMS)]
    for before, at, after in zip([None, *ids], ids, [*ids[1:], None], strict=False):
        assert at is not None
        assert filled.neighbours(query, at) == (before, after)


@pytest.mark.parametrize("sort", sorted(SORTABLE))
@pytest.mark.parametrize("state", ["unread", "all"])
def test_every_column_sorts_both_ways(
    filled: Worklist, received: list[Entry], sort: str, state: Any
) -> None:
    for descending in (False, True):
        query = Query(state=state, sort=sort, descending=descending)
        assert [e.id for e in filled.page(query, limit=FILMS)] == _expected(received, query)


def test_every_field_that_a_list_can_show_is_sortable() -> None:
    not_in_lists = {"activation_map", "attestation", "heat_scale", "lungs"}
    not_in_lists |= {"assignment", "claim", "header", "remarks", "urgency"}  # several facts each
    shown = set(get_type_hints(Entry)) - not_in_lists
    assert shown | HEADER_NAMES | {"waits_since"} == SORTABLE


@pytest.mark.parametrize(
    "choice", [{"state": "new"}, {"flag": "yes"}, {"sort": "number"}, {"sort": "header"}], ids=str
)
def test_a_query_for_what_there_is_not_is_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Query(**choice)


def test_a_film_read_a_moment_ago_still_has_its_neighbours(worklist: Worklist) -> None:
    for film in range(3):
        worklist.receive(sha256(film), "-", Path("/"))
    ids = [entry.id for entry in worklist.page(Query())]
    worklist.mark_read(ids[1])
    assert worklist.neighbours(Query(), ids[1]) == (ids[0], ids[2])


def test_a_film_past_the_waiting_cap_rises_above_a_flagged_one(worklist_url: str) -> None:
    clock = [NOW]
    worklist = Worklist.open(worklist_url, clock=lambda: clock[0])
    quiet, _ = worklist.receive(sha256("quiet"), "-", Path("/"), NOW)
    flagged, _ = worklist.receive(sha256("flagged"), "-", Path("/"), NOW + timedelta(hours=1))
    worklist.record(scored("quiet", 0.01))
    worklist.record(scored("flagged", 0.99))
    assert [entry.id for entry in worklist.page(Query())] == [flagged, quiet]
    clock[0] = NOW + timedelta(hours=72)
    assert [entry.id for entry in worklist.page(Query())] == [quiet, flagged]
    clock[0] = NOW + timedelta(hours=73)
    assert [entry.id for entry in worklist.page(Query())] == [flagged, quiet]
    worklist.close()


def test_among_equal_waits_a_higher_probability_never_ranks_lower(
    worklist: Worklist,
) -> None:
    probabilities = [step / 40 for step in range(41)]
    random.Random(3).shuffle(probabilities)  # noqa: S311 - any order will do
    for film, probability in enumerate(probabilities):
        worklist.receive(sha256(film), "-", Path("/"), NOW)
        worklist.record(scored(film, probability))
    listed = [entry.pneumonia_probability for entry in worklist.page(Query(), limit=41)]
    assert listed == sorted(probabilities, reverse=True)


PLANS: list[tuple[str, Callable[[Worklist], object]]] = [
    ("page", lambda worklist: worklist.page(Query())),
    ("page of refused", lambda worklist: worklist.page(Query(state="needs_a_person"))),
    ("page of a tier", lambda worklist: worklist.page(Query(tier=Priority.HIGH))),
    ("sorted page", lambda worklist: worklist.page(Query(sort="patient_name"))),
    *(
        (
            f"everything by {sort}",
            lambda worklist, sort=sort: worklist.page(Query("all", sort=sort, descending=True)),
        )
        for sort in sorted({"priority", "patient_age", *SORT_INDEXES} - {"patient_age_days"})
    ),
    ("neighbours", lambda worklist: worklist.neighbours(Query(), worklist.page(Query())[0].id)),
    ("counts", lambda worklist: worklist.counts()),
    ("page of studies", lambda worklist: worklist.page(Query(by_study=True))),
    ("flagged studies", lambda worklist: worklist.page(Query(flag="flagged", by_study=True))),
    ("studies by name", lambda worklist: worklist.page(Query(sort="patient_name", by_study=True))),
    ("number of studies", lambda worklist: worklist.count(Query(by_study=True), 1001)),
    ("search", lambda worklist: worklist.count(Query(text="x"))),
]


@pytest.mark.parametrize(("name", "ask"), PLANS, ids=[name for name, _ in PLANS])
def test_no_question_of_the_list_sorts_it_or_reads_every_row(
    new_database: DatabaseFactory, name: str, ask: Callable[[Worklist], object]
) -> None:
    from sqlalchemy import event

    worklist = Worklist.open(new_database("sqlite"))
    worklist.receive(sha256(1), "-", Path("/"))
    engine = worklist._database.engine
    requested: list[tuple[str, Any]] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, _x, _m: requested.append(
            (statement, parameters)
        ),
    )
    ask(worklist)
    with engine.connect() as connection:
        plans = [
            str(row[3])
            for statement, parameters in list(requested)
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    worklist.close()
    assert plans, name
    bad = [
        plan for plan in plans if plan == "SCAN worklist_entry" or "TEMP B-TREE FOR ORDER" in plan
    ]
    assert not bad


def test_the_choices_of_a_query_are_those_of_its_types() -> None:
    hints = get_type_hints(Query)
    for state in get_args(hints["state"]):
        for flag in get_args(hints["flag"]):
            Query(state=state, flag=flag)
