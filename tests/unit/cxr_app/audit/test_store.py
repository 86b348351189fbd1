"""The audit: chained, only added to, and checked."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import NAMES, ORIGIN, AuditFilter, AuditStore
from cxr_app.errors import AuditError
from cxr_app.radiograph import Header

NOON = datetime(2026, 10, 7, 12, tzinfo=UTC)
UNLOCKED = "DROP TRIGGER event_stays; DROP TRIGGER event_kept; "


def event(**facts: object) -> AuditEvent:
    return AuditEvent(NOON, AuditKind.FILM_SHOWN, **facts)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> AuditStore:
    made = AuditStore(tmp_path / "audit")
    made.append([event(who=f"reader {number}") for number in range(5)])
    return made


def tamper(store: AuditStore, statements: str) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.executescript(UNLOCKED + statements)


def test_a_whole_chain_is_whole(store: AuditStore) -> None:
    state = store.verify()
    assert (state.events, state.head, state.fault) == (5, store.head()[1], "")
    assert store.path.stat().st_mode & 0o077 == 0


def test_an_empty_chain_is_whole(tmp_path: Path) -> None:
    assert AuditStore(tmp_path).head() == (0, ORIGIN)
    assert not AuditStore(tmp_path).verify().fault


@pytest.mark.parametrize("statement", ["DELETE FROM event", "UPDATE event SET who = 'x'"])
def test_nothing_is_changed_or_removed_by_the_ordinary_way(
    store: AuditStore, statement: str
) -> None:
    with (
        closing(sqlite3.connect(store.path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only added to"),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statements", "fault", "whole"),
    [
        ("UPDATE event SET who = 'nobody' WHERE number = 3", "Event 3 was changed", 2),
        ("UPDATE event SET happened_at = happened_at + 1 WHERE number = 1", "Event 1 was", 0),
        ("DELETE FROM event WHERE number = 4", "Event 4 is missing", 3),
        ("DELETE FROM event WHERE number = 1", "Event 1 is missing", 0),
        (
            "DELETE FROM event WHERE number = 4; UPDATE event SET number = 4 WHERE number = 5",
            "Event 4 was changed",
            3,
        ),
    ],
)
def test_a_break_in_the_chain_is_found(
    store: AuditStore, statements: str, fault: str, whole: int
) -> None:
    tamper(store, statements)
    state = store.verify()
    assert fault in state.fault
    assert state.events == whole


def test_a_lost_end_is_found_by_a_head_noted_elsewhere(store: AuditStore) -> None:
    noted = store.head()
    tamper(store, "DELETE FROM event WHERE number > 3")
    assert not store.verify().fault
    assert "Event 5 is missing" in store.verify(noted).fault


def test_a_later_chain_still_has_the_head_noted_before(store: AuditStore) -> None:
    noted = store.head()
    store.append([event()])
    assert not store.verify(noted).fault
    assert store.verify((noted[0], "0" * 64)).fault


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=6))
def test_every_text_comes_back_as_it_was(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        store = AuditStore(Path(folder))
        events = [event(detail=text, who=text) for text in texts]
        store.append(events)
        assert [record.event for record in store.after(0, 10)] == events
        assert not store.verify().fault


def test_events_are_found_by_what_is_wanted(store: AuditStore) -> None:
    later = AuditEvent(
        NOON + timedelta(days=1), AuditKind.REFUSED, "Weiss", outcome=AuditOutcome.REFUSED
    )
    store.append([later, event(patient="aa"), event(patient="aa.bb"), event(patient="aab.cc")])
    for wanted, numbers in (
        (AuditFilter(), [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (AuditFilter(who="Weiss"), [6]),
        (AuditFilter(kind=AuditKind.REFUSED), [6]),
        (AuditFilter(outcome=AuditOutcome.REFUSED), [6]),
        (AuditFilter(patient=frozenset({"aa"})), [8, 7]),
        (AuditFilter(patient=frozenset({"aa.bb"})), [8]),
        (AuditFilter(patient=frozenset({"bb"})), []),
        (AuditFilter(patient=frozenset({"aa", "aab"})), [9, 8, 7]),
        (AuditFilter(since=NOON + timedelta(hours=1)), [6]),
        (AuditFilter(until=NOON), []),
    ):
        assert [record.number for record in store.newest(wanted)] == numbers
    assert [record.number for record in store.newest(AuditFilter(), 2, before=5)] == [4, 3]


@given(
    st.lists(st.sampled_from(["Weiß", "WEISS", "weiss", "Ärztin", "ÄRZTIN", "i", "İ", "a\0b", ""]))
)
@example(["Weiß", "ÄRZTIN", "weiss"])
def test_a_person_is_found_whatever_the_capitals(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        store = AuditStore(Path(folder))
        store.append([event(who=name) for name in names])
        for asked in ("weiss", "ÄRZTIN", "ärztin", "I", "A\0B", "nobody", "' OR 1=1 --"):
            found = [record.event.who for record in store.newest(AuditFilter(who=asked))]
            assert found == [name for name in names if name.casefold() == asked.casefold()][::-1]


def test_a_person_is_found_by_the_index(store: AuditStore) -> None:
    """As many look-ups as there are names, however many events there are."""
    store.append([event(who=f"Arzt {number % 7}") for number in range(700)])
    with closing(store._connect()) as connection:
        for query, values in ((NAMES, ()), ("SELECT who FROM event WHERE who IN (?, ?)", "ab")):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
            steps = [str(step[-1]) for step in plan if "event" in str(step[-1])]
            assert steps
            assert all(step.startswith("SEARCH event USING") for step in steps), steps
    assert len(store.newest(AuditFilter(who="ARZT 3"), limit=200)) == 100


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    stores = [AuditStore(tmp_path) for _ in range(4)]

    def write(store: AuditStore) -> None:
        for _ in range(10):
            store.append([event(), event()])

    threads = [threading.Thread(target=write, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].verify().events == 80
    assert not stores[0].verify().fault


def test_a_patient_is_recorded_by_a_keyed_hash_alone(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.record(AuditKind.FILM_SHOWN, Header(patient_id="QX-1", patient_name="Quuxlove^Zebedea"))
    log.close()
    (record,) = log.store.after(0, 10)
    assert record.event.patient == log.mark("QX-1")
    assert record.event.patient_id == ""
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"QX-1" not in held
    assert b"Quuxlove" not in held
    assert AuditLog(tmp_path).mark("QX-1") == record.event.patient, "the key is kept"
    assert log.mark("QX-1", "other hospital") != record.event.patient


def test_where_the_site_allows_it_the_patient_id_is_there(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, in_clear=True)
    log.record(AuditKind.FILM_SHOWN, Header(patient_id="QX-1", patient_name="Quuxlove^Zebedea"))
    log.close()
    assert log.store.after(0, 1)[0].event.patient_id == "QX-1"


def test_no_event_is_lost_while_the_disk_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path)

    def refuse(_events: object) -> None:
        raise AuditError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(log.store, "append", refuse)
        log.record(AuditKind.STARTED)
        with pytest.raises(AuditError):
            log.flush()
    log.record(AuditKind.STOPPED)
    log.close()
    kinds = [record.event.kind for record in log.store.after(0, 10)]
    assert kinds == [AuditKind.STARTED, AuditKind.STOPPED]
    assert log.problem == ""


def test_events_go_on_in_a_file_that_has_replaced_the_other(tmp_path: Path) -> None:
    store, restored = AuditStore(tmp_path / "here"), AuditStore(tmp_path / "backup")
    store.append([event(who="before")])
    restored.append([event(who="restored")])
    restored.close()
    store.close()
    store.append([event(who="between")])
    restored.path.replace(store.path)
    for left in store.path.parent.glob("audit.sqlite-*"):
        left.unlink()
    store.append([event(who="after")])
    names = [record.event.who for record in AuditStore(store.path.parent).after(0, 10)]
    assert names == ["restored", "after"]
