"""Databases of every version get the tables that the program expects."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from cxr_app.errors import WorklistError
from cxr_app.worklist import JobState, Query, Verdict, Worklist, database
from cxr_app.worklist.migrations.versions import reading_order
from cxr_app.worklist.migrations.versions.long_lists import RECREATED, SQLITE_ONLY
from cxr_app.worklist.tables import Table
from tests import newest_tables
from tests.integration.conftest import DatabaseFactory
from tests.support.outcomes import scored, sha256

# Opening


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    """A connection of the test's own to a migrated database."""
    Worklist.open(empty_url).close()
    engine = create_engine(empty_url)
    yield engine
    engine.dispose()


def _schema(engine: Engine) -> set[tuple[str, ...]]:
    """Return the database's description of the worklist's tables, checks included."""
    statements = {
        "sqlite": (
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE tbl_name LIKE 'worklist_%' AND tbl_name NOT LIKE '%version' "
            "AND name NOT LIKE 'worklist_search%' AND name NOT LIKE 'worklist_tally%' "
            "AND sql IS NOT NULL"
        ),
        "postgresql": (
            "SELECT 'check', conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid::regclass::text LIKE 'worklist_%' AND conname NOT LIKE '%version%pkc' "
            "UNION SELECT 'index', indexname, indexdef FROM pg_indexes "
            "WHERE tablename LIKE 'worklist_%' AND indexname NOT LIKE '%version%' "
            "AND indexname <> 'worklist_search' "
            "UNION SELECT table_name, column_name, concat_ws(' ', data_type, is_nullable, "
            "character_maximum_length, collation_name) FROM information_schema.columns "
            "WHERE table_name LIKE 'worklist_%' AND table_name NOT LIKE '%version' "
            "AND table_name <> 'worklist_tally'"
        ),
    }
    with engine.connect() as connection:
        rows = connection.execute(text(statements[engine.dialect.name]))
        return {tuple(_in_any_order(str(cell)) for cell in row) for row in rows}


def _in_any_order(definition: str) -> str:
    """Columns and constraints of one table may stand in any order: later columns come last.

    SQLite quotes the name of a table that it has copied.
    """
    parts = re.split(r",\s|\n", definition.replace('"', "").removesuffix(")"))
    return "\n".join(sorted(filter(None, (part.strip() for part in parts))))


LATER = ("arrival_remarks",)
AIDS = ("worklist_search", "worklist_tally")
"""What the databases keep by themselves; tested by the answers that it gives."""


LISTS_OF_POSTGRESQL = (
    "DROP INDEX worklist_search",
    "DROP FUNCTION worklist_grams",
    "DROP FUNCTION worklist_tally_count CASCADE",
    "DROP FUNCTION worklist_tally_add_up",
    "DROP TABLE worklist_tally",
    "DROP INDEX ix_worklist_entry_reason",
    "DROP INDEX ix_worklist_entry_source",
)
"""What takes away all that PostgreSQL alone got for lists of a million films."""


def _is_known(_thing: object, name: str | None, _kind: str, in_database: bool, _: object) -> bool:
    """Leave out also the indexes that only SQLite has, which Alembic expects everywhere."""
    if in_database:
        return name is None or not name.startswith(AIDS)
    return name not in {f"ix_worklist_entry_{each}" for each in SQLITE_ONLY}


def test_migrating_makes_the_tables_that_the_program_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": database.VERSION_TABLE, "include_object": _is_known},
        )
        assert compare_metadata(context, Table.metadata) == []


def test_a_new_worklist_is_as_all_migrations_would_have_made_it(tmp_path: Path) -> None:
    by_steps, at_once = tmp_path / "steps.sqlite", tmp_path / "once.sqlite"
    newest_tables.migrated(by_steps)
    Worklist.open(f"sqlite:///{at_once}").close()
    made, wanted = (
        sorted(_in_any_order(each) for each in newest_tables.statements(path))
        for path in (at_once, by_steps)
    )
    assert made == wanted, "run python -m tests.newest_tables"
    assert _rows(at_once) == _rows(by_steps)


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that a file's tables hold, but what SQLite keeps behind its search."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_search_%'"
    with closing(sqlite3.connect(path)) as worklist:
        return {
            name: worklist.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - our tables
            for (name,) in worklist.execute(names).fetchall()
        }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrating_makes_the_same_constraints_and_indexes(
    kind: str, new_database: DatabaseFactory
) -> None:
    """Alembic compares neither checks nor the conditions of indexes."""
    migrated_url = new_database(kind)
    Worklist.open(migrated_url).close()
    migrated, created = create_engine(migrated_url), create_engine(new_database(kind))
    Table.metadata.create_all(created)
    schemas = _schema(migrated), _schema(created)
    for each in (migrated, created):
        each.dispose()
    assert schemas[0] == schemas[1]


def test_a_worklist_of_the_first_version_is_brought_up_to_date(empty_url: str) -> None:
    before = Worklist.open(empty_url)
    before.receive(sha256(1), "a.dcm", Path("/film"))
    film = before.record(scored(1))
    before.mark_read(film)
    before.close()
    downgrade_to_first_version(empty_url)
    after = Worklist.open(empty_url)
    assert after.count(Query(state="read")) == 1
    assert after.jobs.submit("backlog", {}).state is JobState.SCHEDULED
    after.reviews.add(film, "Weiss", Verdict.AGREE)
    assert after.entry(film).read_by == "Weiss"
    assert after.entry(film).waits_since == after.entry(film).received_at
    after.mark_read(film, read=False)
    after.receive(sha256(2), "b.dcm", Path("/film"))
    after.record(scored(2, 0.3))
    assert after.page(Query())[0].id == film
    after.close()


def downgrade_to_first_version(url: str) -> None:
    """Leave of the tables what there was at first."""
    first = {"worklist_entry", "worklist_score"}
    engine = create_engine(url)
    with engine.begin() as connection:
        later = [table for name, table in Table.metadata.tables.items() if name not in first]
        Table.metadata.drop_all(connection, later)
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TABLE worklist_tally"))
            connection.execute(text("DROP TABLE worklist_search_term"))
            connection.execute(text("DROP TABLE worklist_search"))
            connection.execute(text("DROP VIEW worklist_search_text"))
            for name in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for statement in LISTS_OF_POSTGRESQL:
                connection.execute(text(statement))
        ordered = ("order", "refused", "waits_since", *reading_order.SORTED)
        for name in (
            "read_at",
            "scored_at",
            "sop_instance_uid",
            "assigned",
            "study_key",
            *ordered,
            *(SQLITE_ONLY if engine.dialect.name == "sqlite" else ()),
        ):
            connection.execute(text(f"DROP INDEX ix_worklist_entry_{name}"))
        order = ("acquired_at", "band", "waits_since", *reading_order.HEADER)
        attested = ("attested_by", "attested_at", "quarter_turns", "mirrored")
        urgent = ("urgent_by", "urgent_at", "urgent_reason")
        assigned = ("assigned_to", "assigned_by", "assigned_at")
        columns = (
            "issuer_of_patient_id",
            *LATER,
            *order,
            *attested,
            *urgent,
            *assigned,
            "study_key",
            "needs_no_score",
        )
        for column in ("station_name", "read_by", "film_deleted_at", *columns):
            connection.execute(text(f"ALTER TABLE worklist_entry DROP COLUMN {column}"))
        for name in ("order", "refused", *RECREATED):
            connection.execute(
                text(f"CREATE INDEX ix_worklist_entry_{name} ON worklist_entry (tier)")
            )
        later_columns = ("heat_begin", "heat_full", "lung_mask", "lung_mask_rows")
        for column in (*later_columns, "lung_mask_columns", "lungs_found"):
            connection.execute(text(f"ALTER TABLE worklist_score DROP COLUMN {column}"))
        connection.execute(text(f"UPDATE {database.VERSION_TABLE} SET version_num = '0001'"))  # noqa: S608
    engine.dispose()


def test_the_newest_step_is_the_one_that_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_a_worklist_of_a_newer_program_is_refused(engine: Engine, empty_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {database.VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608
    with pytest.raises(WorklistError, match="newer version of this program"):
        Worklist.open(empty_url)
