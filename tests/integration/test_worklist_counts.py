"""What is counted and found without looking at every film is what looking at every film finds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path
from typing import get_args, get_type_hints
from unittest.mock import patch

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.worklist import Entry, Query, Verdict, Worklist
from tests.integration.conftest import DatabaseFactory, PostgresServer
from tests.support.outcomes import refused, scored, sha256

PATH = Path("/film")
HINTS = get_type_hints(Query)
STATES, FLAGS = get_args(HINTS["state"]), get_args(HINTS["flag"])

LETTERS = "abÅß\N{GREEK CAPITAL LETTER SIGMA}'\"%_*^日|&!:()\\ \n\x00"
texts = st.text(LETTERS, max_size=12)

many_times = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

runs = count()
"""Films of one example have names of their own: the examples share a worklist."""


def _receive(worklist: Worklist, film: str, _outcome: Outcome) -> None:
    worklist.receive(sha256(film), film, PATH)


def _record(worklist: Worklist, film: str, outcome: Outcome) -> None:
    worklist.receive(sha256(film), film, PATH)
    worklist.record(outcome)


def _enter(worklist: Worklist, film: str, outcome: Outcome) -> None:
    worklist.enter([(outcome, film, PATH)])


def _read(worklist: Worklist, film: str, _outcome: Outcome) -> None:
    worklist.mark_read(worklist.receive(sha256(film), film, PATH)[0], "Weiss")


def _unread(worklist: Worklist, film: str, _outcome: Outcome) -> None:
    worklist.mark_read(worklist.receive(sha256(film), film, PATH)[0], read=False)


def _review(worklist: Worklist, film: str, _outcome: Outcome) -> None:
    entry_id, _ = worklist.receive(sha256(film), film, PATH)
    worklist.reviews.add(entry_id, "Weiss", Verdict.UNUSABLE)


Verb = Callable[[Worklist, str, Outcome], None]
VERBS: list[Verb] = [_receive, _record, _enter, _read, _unread, _review]


def _all(worklist: Worklist) -> list[Entry]:
    return worklist.page(Query(state="all"), limit=100_000)


def _matches(entry: Entry, query: Query) -> bool:
    read = entry.read_at is not None
    refused_film = entry.state in (ScoringState.REJECTED, ScoringState.FAILED)
    states = {"unread": not read, "read": read, "needs_a_person": refused_film and not read}
    states |= dict.fromkeys(("second_reading", "disagreement"), False)  # nobody asked for any
    flags = {"flagged": entry.flagged is True, "not_flagged": entry.flagged is False}
    of_tier = entry.flagged is not None and entry.priority is query.tier
    return (
        states.get(query.state, True)
        and flags.get(query.flag, True)
        and (query.tier is None or of_tier)
    )


def _expect_true_counts(worklist: Worklist) -> None:
    entries = _all(worklist)
    for state, flag, tier in product(STATES, FLAGS, (None, *Priority)):
        query = Query(state, flag, tier)
        assert worklist.count(query) == sum(_matches(entry, query) for entry in entries), query
    counts = worklist.counts()
    unread = [entry for entry in entries if entry.read_at is None]
    assert counts.unread == len(unread)
    assert counts.read == len(entries) - len(unread)
    assert counts.flagged_unread == sum(entry.flagged is True for entry in unread)
    assert counts.in_progress == sum(entry.state is None for entry in entries)


@many_times
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(VERBS),
            st.integers(0, 4),
            st.sampled_from((None, 0.1, 0.3, 0.9)),
            st.sampled_from(("model-1", "model-2")),
        ),
        max_size=20,
    )
)
def test_whatever_is_done_the_counts_are_those_of_the_list(
    worklist: Worklist, steps: list[tuple[Verb, int, float | None, str]]
) -> None:
    run = next(runs)
    for verb, number, probability, model in steps:
        film = f"{run}-{number}"
        outcome = refused(film) if probability is None else scored(film, probability, model)
        verb(worklist, film, outcome)
    _expect_true_counts(worklist)


def test_a_film_taken_away_or_a_change_taken_back_is_not_counted(worklist: Worklist) -> None:
    for film in range(4):
        _enter(worklist, str(film), scored(str(film), header=Header(patient_name=f"Film {film}")))
    engine = worklist._database.engine
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM worklist_score WHERE entry_number = 2"))
        connection.execute(text("DELETE FROM worklist_entry WHERE number = 2"))
    with engine.connect() as connection:
        connection.execute(text("UPDATE worklist_entry SET tier = 5, search_text = 'gone'"))
        connection.rollback()
    _expect_true_counts(worklist)
    assert worklist.count(Query(text="film")) == 3
    assert worklist.count(Query(text="gone")) == 0


def test_counters_that_are_added_up_while_films_come_lose_none(
    new_database: DatabaseFactory,
) -> None:
    worklist = Worklist.open(new_database("postgresql", upgraded=True))
    add_up = text("SELECT worklist_tally_add_up()")
    with ThreadPoolExecutor(4) as threads:
        films = [threads.submit(_read, worklist, str(n), scored(str(n))) for n in range(60)]
        while not all(film.done() for film in films):
            with worklist._database.writing() as session:
                session.execute(add_up)
    for film in films:
        film.result()
    _expect_true_counts(worklist)
    with worklist._database.writing() as session:
        session.execute(add_up)
        assert session.scalar(text("SELECT count(*) FROM worklist_tally")) == 1
    _expect_true_counts(worklist)
    worklist.close()


@many_times
@given(
    films=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5),
    requested=texts,
    few=st.sampled_from((0, 2, 10_000)),
)
def test_a_search_finds_what_a_look_at_every_film_finds(
    worklist: Worklist, films: list[tuple[str, str, str]], requested: str, few: int
) -> None:
    """A name is written, and then another: what stood there before must not be found."""
    run = next(runs)
    for number, (source, earlier, name) in enumerate(films):
        film = f"{run}-{number}"
        worklist.receive(sha256(film), source, PATH)
        for model, answer in (("model-1", earlier), ("model-2", name)):
            worklist.record(scored(film, 0.5, model, header=Header(patient_name=answer)))
    with (
        patch("cxr_app.worklist.trigrams_of_sqlite.FEW", few),
        patch("cxr_app.worklist.trigrams_of_postgresql.FEW", few),
        patch("cxr_app.worklist.trigrams_of_postgresql.COMMON", max(few, 1)),
    ):
        found = worklist.page(Query(state="all", text=requested), limit=100_000)
        by_name = worklist.page(Query("all", text=requested, sort="patient_name"), limit=100_000)
        number_found = worklist.count(Query(state="all", text=requested))
    held = {entry.id for entry in _all(worklist) if _holds(entry, requested)}
    assert {entry.id for entry in found} == {entry.id for entry in by_name} == held
    assert number_found == len(found) == len(held)


def _holds(entry: Entry, requested: str) -> bool:
    from cxr_app.worklist.search_text import folded

    header = entry.header or Header()
    written = requested.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    held = (folded(header.patient_name), folded(entry.source))
    return all(any(word in each for each in held) for word in folded(written).split())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_list_is_counted_and_found_too(kind: str, new_database: DatabaseFactory) -> None:
    from tests.integration.test_worklist_migrations import downgrade_to_first_version

    url = new_database(kind)
    before = Worklist.open(url)
    for film in range(6):
        header = Header(patient_name=f"Film^{film}")
        _enter(before, str(film), scored(str(film), film / 6, header=header))
    _read(before, "3", scored("3"))
    before.receive(sha256("new"), "new", PATH, datetime(2026, 1, 1, tzinfo=UTC))
    before.close()
    downgrade_to_first_version(url)
    after = Worklist.open(url)
    _expect_true_counts(after)
    assert after.count(Query(state="all", text="film^3")) == 1
    after.close()


def test_a_user_who_may_add_no_extension_has_trigrams_too(
    postgres: PostgresServer, new_database: DatabaseFactory
) -> None:
    owned = new_database("postgresql")
    with psycopg.connect(owned.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN; GRANT ALL ON SCHEMA public TO guest")
    worklist = Worklist.open(owned.replace("tests@", "guest@"))
    _enter(worklist, "film", scored("film", header=Header(patient_name="Weiss^Anna")))
    indexes = text("SELECT count(*) FROM pg_indexes WHERE indexname = 'worklist_search'")
    with worklist._database.engine.connect() as connection:
        assert connection.scalar(indexes) == 1
    assert worklist.count(Query(text="weiss")) == 1
    assert worklist.count(Query(text="nobody")) == 0
    worklist.close()
    with psycopg.connect(owned.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP OWNED BY guest; DROP ROLE guest")
