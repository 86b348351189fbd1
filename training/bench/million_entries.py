"""A synthetic worklist of any length, and how long its queries take.

Films are entered by the program's own methods; the rest are copies of these rows that differ in
everything by which films differ. So a million entries take minutes, and no space for histories.
"""

import hashlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cxr_app import priority
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import OperatingPoint, Prediction
from cxr_app.radiograph import Header
from cxr_app.worklist import Query, Worklist
from cxr_app.worklist.search_text import search_text
from cxr_app.worklist.tables import SORT_INDEXES

PAGE, COUNTED = 50, 1001
"""Films of a page, and the most hits that a page counts."""
LISTED = ("priority", "patient_age", *(name for name in SORT_INDEXES if name != "patient_age_days"))
REPEATS = 3
"""Repetitions of each query; the median counts."""

NamedQuery = tuple[str, Callable[[], object]]
EntryValues = dict[str, Any]
"""Values of an entry by column."""

POINTS = {
    "balanced": OperatingPoint("balanced", 0.5, 0.95, 0.9),
    "high_sensitivity": OperatingPoint("high_sensitivity", 0.25, 0.99, 0.7),
}
SYLLABLES = (
    "an",
    "ber",
    "dor",
    "el",
    "fi",
    "gun",
    "hal",
    "ka",
    "lo",
    "mir",
    "ne",
    "os",
    "ra",
    "tu",
)
GIVEN = ("Ada", "Bela", "Cleo", "Dino", "Enno", "Fay", "Gus", "Ines", "Jan", "Mio", "Ute", "Zoë")
RARE = "Quixote^Xaver"
READ_DAYS, UNREAD_DAYS = 365, 7
"""How far back read and unread films were received."""
TEMPLATES = 2000
"""Films entered by the worklist's own methods, of which the rest are copies."""
ENTERED, UNUSED = 400, 10**9
"""How many films are timed, and the first of the film numbers that no other film has."""
TWICE = {"DISAGREED": 5_000, "WAITING": 200}
"""One in how many films that are read stands so in a second reading."""
READ_TWICE = (
    "INSERT INTO worklist_second_reading"
    " (entry_number, state, reason, first_reader, begun_at, decided_by)"
    " SELECT number, {0}, 'RULE', 'Weiss', 0, 1 FROM worklist_entry"
    " WHERE is_read AND number % {0} = 1 ON CONFLICT DO NOTHING"
)
"""For the mark of a value, as SQLite or PostgreSQL has it."""
URGENT, ASSIGNED = 20, 60
"""Unread films marked as urgent, and assigned to one reader."""
NUMBER_BITS, FILMS_OF_STUDY = 24, 32
"""So many numbers, and so many of them in a study, that a million films have some two a study."""
TOGETHER = 8
"""Films entered in one transaction, as in a run."""


def measure_entries(file: Path, entries: int) -> dict[str, Any]:
    """Fill a worklist; time entering films before and after, and every query.

    Returns
    -------
    dict
        ``empty_ms`` and ``full_ms`` for one film, ``times`` their ratio, and ``answers``, the ms of
        each query.
    """
    worklist = Worklist.open(f"sqlite:///{file}")
    try:
        empty = entering_ms(worklist, range(ENTERED))
        fill_worklist(worklist, file, entries)
        full = entering_ms(worklist, range(UNUSED, UNUSED + ENTERED))
        answers = query_times(worklist)
    finally:
        worklist.close()
    return {"empty_ms": empty, "full_ms": full, "times": full / empty, "answers": answers}


def entering_ms(worklist: Worklist, numbers: range) -> float:
    """Enter films as a run does, and return the ms that one takes."""
    began = time.monotonic()
    for start in range(numbers.start, numbers.stop, TOGETHER):
        worklist.enter(synthetic_films(range(start, start + TOGETHER)))
    return (time.monotonic() - began) / len(numbers) * 1000


def synthetic_films(numbers: range) -> Iterator[tuple[Outcome, str, Path]]:
    """Yield synthetic films as a run enters them: with or without header, scored or refused."""
    for number in numbers:
        chance = random.Random(number)  # noqa: S311 - synthetic, no secret
        outcome = _outcome(number, chance)
        suffix = "jpg" if outcome.header is None else "dcm"
        yield outcome, f"exports/ward {number % 9}/{number}.{suffix}", Path(f"/films/{number}")


def fill_worklist(worklist: Worklist, file: Path, entries: int, templates: int = TEMPLATES) -> None:
    """Fill a SQLite worklist up to `entries`: some by its own methods, the rest as copies."""
    enter_templates(worklist, min(entries, templates))
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("SELECT * FROM worklist_entry")]
    names, copies = copies_of(rows, entries - worklist.count(Query(state="all")))
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO worklist_entry ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    connection.execute("BEGIN")
    connection.executemany(statement, copies)
    for values in TWICE.items():
        connection.execute(READ_TWICE.format("?"), values)
    connection.execute("COMMIT")
    connection.close()
    hand_over(worklist)


def enter_templates(worklist: Worklist, films: int) -> None:
    """Enter films by the worklist's own methods; half of them are read."""
    for start in range(0, films, 100):
        worklist.enter(synthetic_films(range(start, min(start + 100, films))))
    worklist.receive(hashlib.sha256(b"not scored").hexdigest(), "just arrived.dcm", Path("/new"))
    for number, entry in enumerate(worklist.page(Query(), limit=films)):
        if number % 2:
            worklist.mark_read(entry.id, ("Weiss", "Okafor", "Lindqvist")[number % 3])


def copies_of(
    rows: list[EntryValues], wanted: int
) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
    """Return the columns, and so many copies of rows as films of their own, one after the other."""
    for row in rows:
        del row["number"]
    chance = random.Random(0)  # noqa: S311
    copies = (tuple(_another(chance, rows[n % len(rows)]).values()) for n in range(wanted))
    return tuple(rows[0]), copies


def hand_over(worklist: Worklist) -> None:
    """Mark some unread films as urgent and assign others, from all over the list."""
    unread = worklist.count(Query())
    for at in range(URGENT):
        (entry,) = worklist.page(Query(), unread * at // URGENT, 1)
        worklist.room.urgency.mark(entry.id, "Weiss", "intensive care")
    for at in range(ASSIGNED):
        (entry,) = worklist.page(Query(), unread * at // ASSIGNED, 1)
        worklist.room.assignments.assign(entry.id, "Okafor", "Weiss")


def _another(chance: random.Random, row: EntryValues) -> EntryValues:
    """Return a copy of a row as another film: another patient, another day, another file."""
    entry_id, number = f"{chance.getrandbits(128):032x}", chance.getrandbits(NUMBER_BITS)
    source = f"exports/ward {number % 9}/{number}.dcm"
    days = READ_DAYS if row["is_read"] else UNREAD_DAYS
    waited = int(chance.random() * 3600e6 * 24)
    received_at = row["received_at"] - int(chance.random() * days * 86400e6) - waited
    other = row | {"id": entry_id, "sha256": f"{chance.getrandbits(256):064x}", "source": source}
    other |= {"received_at": received_at, "path": f"/films/{number}".encode()}
    other["waits_since"] = received_at
    facts: tuple[str, ...] = ()
    if row["is_read"]:
        other["read_at"] = received_at + waited
    if row["pneumonia_probability"] is not None:
        shift = chance.random() * 1e-3
        other["pneumonia_probability"] = row["pneumonia_probability"] * (1 - shift)
        other["descending_probability"] = -other["pneumonia_probability"]
        other["band"] = priority.band(other["pneumonia_probability"])
    if row["has_header"]:
        header = _header(number, chance)
        facts = header.patient_id, header.patient_name
        facts += header.accession_number, header.study_description
        other |= {
            "patient_id": header.patient_id,
            "patient_name": header.patient_name,
            "accession_number": header.accession_number,
            "study_date": header.study_date,
            "study_description": header.study_description,
            "study_key": f"{number // FILMS_OF_STUDY:032x}",
        }
    return other | {"search_text": search_text(entry_id, source, *facts)}


def _outcome(number: int, chance: random.Random) -> Outcome:
    header = _header(number, chance) if chance.random() < 0.9 else None
    grid = np.zeros((14, 14), dtype=np.float32)
    probability = chance.betavariate(0.4, 0.9)
    share = chance.random()
    prediction = Prediction(
        probability * share, probability * (1 - share), grid, "made-up-00000000"
    )
    scored = Outcome(
        sha256=hashlib.sha256(b"%d" % number).hexdigest(),
        state=ScoringState.SCORED,
        priority=priority.assign(prediction, POINTS),
        prediction=prediction,
        operating_point=POINTS["balanced"],
        header=header,
        file_format="JPEG" if header is None else "DICOM",
        rows=1000,
        columns=1400,
        remarks=("Read from the first of 3 frames.",) if number % 50 == 0 else (),
    )
    if number % 40:
        return scored
    return replace(
        scored,
        state=ScoringState.REJECTED,
        priority=Priority.MEDIUM,
        reason="This does not look like a frontal chest film. A reader must look at it.",
        prediction=None,
        operating_point=None,
    )


def _header(number: int, chance: random.Random) -> Header:
    """Return the header of a synthetic child's chest film."""
    surname = "".join(chance.choice(SYLLABLES) for _ in range(3)).capitalize()
    name = RARE if number % 100_003 == 5 else f"{surname}^{chance.choice(GIVEN)}"
    day = datetime(2026, 11, 21, tzinfo=UTC) - timedelta(days=chance.randrange(365))
    uid = f"1.2.826.0.1.3680043.8.498.{chance.getrandbits(100)}"
    return Header(
        patient_id=f"P-{chance.randrange(10**7):07}",
        patient_name=name,
        patient_birth_date=f"{2010 + number % 15}0101",
        patient_sex="FM"[number % 2],
        patient_age=f"{1 + number % 17:03}Y",
        accession_number=f"A{chance.randrange(10**8):08}",
        study_date=f"{day:%Y%m%d}",
        study_time="101500",
        study_description=("Thorax ap", "Chest PA and lateral", "XR Chest")[number % 3],
        modality=("CR", "DX")[number % 2],
        body_part_examined="CHEST",
        view_position=("AP", "PA")[number % 2],
        institution_name="General Hospital",
        study_instance_uid=uid,
        series_instance_uid=f"{uid}.1",
        sop_instance_uid=f"{uid}.1.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        photometric_interpretation="MONOCHROME2",
        bits_stored="12",
        transfer_syntax="Explicit VR Little Endian",
    )


def query_times(worklist: Worklist) -> dict[str, float]:
    """Time every query of the pages; return the ms of each."""
    return {name: _median_ms(ask) for name, ask in queries(worklist)}


def queries(worklist: Worklist) -> Iterator[NamedQuery]:
    """Yield every query of the pages with its name."""
    total = worklist.count(Query())
    middle = total // 2
    somewhere = worklist.page(Query(), middle, 1)[0].id
    midnight = datetime.now(UTC) - timedelta(hours=12)
    yield "counts", worklist.counts
    yield "read today", lambda: worklist.reviews.read_since(midnight)
    yield "urgent films", worklist.room.urgency.waiting
    yield from _of_filters(worklist)
    for sort in ("", "patient_name"):
        query, by = Query(sort=sort), f" by {sort}" if sort else ""
        yield f"middle page{by}", _page(worklist, query, middle)
        yield f"last page{by}", _page(worklist, query, (total - 1) // PAGE * PAGE)
        yield f"neighbours{by}", _neighbours(worklist, query, somewhere)
    by_study = Query(by_study=True)
    yield "last page by study that is counted", _page(worklist, by_study, COUNTED - PAGE)
    yield "neighbours by study", _neighbours(worklist, by_study, somewhere)
    listed = worklist.page(by_study, 0, PAGE)
    yield "views of a page by study", lambda: worklist.studies.views(listed)
    yield "others of a study", lambda: worklist.studies.others(listed[0].id)
    by_name = Query("all", sort="patient_name")
    yield "middle page of all by patient_name", _page(worklist, by_name, middle)
    yield from _of_columns(worklist, somewhere)
    for what, text in _searches(somewhere):
        query = Query(text=text)
        by_name = Query("all", text=text, sort="patient_name")
        yield f"search {what}", _page(worklist, query)
        yield f"search {what}, count", _count(worklist, query)
        yield f"search {what}, all by patient_name", _page(worklist, by_name)
        yield f"search {what}, neighbours", _neighbours(worklist, query, somewhere)


def _of_columns(worklist: Worklist, entry_id: str) -> Iterator[NamedQuery]:
    for column, descending in product(LISTED, (False, True)):
        query = Query(sort=column, descending=descending)
        everything, way = replace(query, state="all"), "down" if descending else "up"
        for name, each in (("unread", query), ("all", everything)):
            yield f"{name} by {column}, {way}", _page(worklist, each)
            yield f"neighbours of {name} by {column}, {way}", _neighbours(worklist, each, entry_id)


def _of_filters(worklist: Worklist) -> Iterator[NamedQuery]:
    filters = {
        "unread": Query(),
        "read": Query(state="read"),
        "needs a person": Query(state="needs_a_person"),
        "all": Query(state="all"),
        "flagged": Query(flag="flagged"),
        "not flagged": Query(flag="not_flagged"),
        **{f"tier {tier.value}": Query(tier=tier) for tier in Priority},
        **{
            f"{name}, by study": replace(query, by_study=True)
            for name, query in (
                ("unread", Query()),
                ("read", Query(state="read")),
                ("all", Query(state="all")),
                ("needs a person", Query(state="needs_a_person")),
                ("flagged", Query(flag="flagged")),
                ("tier LOW", Query(tier=Priority.LOW)),
                ("unread by patient_name", Query(sort="patient_name")),
                ("search for a common word", Query(text="thorax")),
            )
        },
        "needs a person by patient_id": Query(state="needs_a_person", sort="patient_id"),
        "my list": Query(assigned_to="Okafor"),
        "my list by patient_name": Query(assigned_to="Okafor", sort="patient_name"),
        "second reading": Query("second_reading", reader="Okafor"),
        "second reading by study": Query("second_reading", reader="Okafor", by_study=True),
        "second reading by patient_name": Query("second_reading", sort="patient_name"),
        "disagreements": Query("disagreement"),
        "my list, all": Query("all", assigned_to="Okafor"),
        "flagged by patient_name": Query(flag="flagged", sort="patient_name"),
    }
    for name, query in filters.items():
        yield f"{name}, first page", _page(worklist, query)
        yield f"{name}, count", _count(worklist, query)


def _searches(entry_id: str) -> Iterator[tuple[str, str]]:
    yield "for a common word", "thorax"
    yield "for a name of many", "dorel"
    yield "for a rare name", RARE.split("^", maxsplit=1)[0]
    yield "for a patient", "P-00012"
    yield "for two words", "thorax kara"
    yield "for an id", entry_id[:8]
    yield "without a hit", "xyzzy"
    yield "for two common letters", "an"
    yield "for two letters without a hit", "qj"
    yield "for a common letter", "a"
    yield "for a sign without a hit", "§"


def _page(worklist: Worklist, query: Query, offset: int = 0) -> Callable[[], object]:
    return lambda: worklist.page(query, offset, PAGE)


def _count(worklist: Worklist, query: Query) -> Callable[[], object]:
    return lambda: worklist.count(query, COUNTED)


def _neighbours(worklist: Worklist, query: Query, entry_id: str) -> Callable[[], object]:
    return lambda: worklist.neighbours(query, entry_id)


def _median_ms(ask: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[len(taken) // 2]
