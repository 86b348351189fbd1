"""How long the queries of a worklist take on PostgreSQL, with any number of entries.

    python -m training.bench.postgres_entries URL [--entries 1000000]

URL is an empty database, for example postgresql+psycopg://cxr@localhost/empty. Entries are copied
into it as `training.bench.million_entries` makes them; indexes are made anew after it.
"""

import argparse
import sys
import time
from contextlib import closing

import psycopg
from psycopg.rows import dict_row

from cxr_app.errors import CxrError, SettingsError
from cxr_app.worklist import Query, Worklist
from training.bench.million_entries import (
    ENTERED,
    READ_TWICE,
    TEMPLATES,
    TWICE,
    UNUSED,
    copies_of,
    enter_templates,
    entering_ms,
    hand_over,
    query_times,
)
from training.command_line.number_types import whole_number

DIALECT = "postgresql+psycopg://"
SLOWEST = 12
MEMORY = "1GB"
"""What making an index may use."""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'worklist_entry'
AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def main(arguments: list[str] | None = None) -> int:
    """Fill the database, time every query, print the slowest, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _measure(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _measure(options: argparse.Namespace) -> None:
    """Fill the database and print what its queries take.

    Raises
    ------
    SettingsError
        If the URL names no PostgreSQL database.
    WorklistError
        If the database cannot be opened.
    """
    if not options.url.startswith(DIALECT):
        raise SettingsError(f"The URL names no PostgreSQL database. Begin it with {DIALECT}.")
    with closing(Worklist.open(options.url)) as worklist:
        enter_templates(worklist, min(TEMPLATES, options.entries))
        began = time.monotonic()
        copy_entries(options.url, options.entries - worklist.count(Query(state="all")))
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        hand_over(worklist)
        entering = entering_ms(worklist, range(UNUSED, UNUSED + ENTERED))
        print(f"entering a film: {entering:.1f} ms", flush=True)
        times = query_times(worklist)
    print(f"{database_megabytes(options.url):.0f} MB; of {len(times)} queries, in ms:")
    for name, milliseconds in sorted(times.items(), key=lambda each: -each[1])[: options.slowest]:
        print(f"{milliseconds:9.1f}  {name}")


def copy_entries(url: str, wanted: int) -> None:
    """Copy the entries that are there until so many more are."""
    with psycopg.connect(_address(url)) as connection:
        with connection.cursor(row_factory=dict_row) as cursor:
            names, copies = copies_of(
                cursor.execute("SELECT * FROM worklist_entry").fetchall(), wanted
            )
        connection.execute(f"SET maintenance_work_mem = '{MEMORY}'".encode())
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        statement = f"COPY worklist_entry ({', '.join(names)}) FROM STDIN"
        with connection.cursor() as plain, plain.copy(statement.encode()) as copy:
            for values in copies:
                copy.write_row(values)
        for _, definition in indexes:
            connection.execute(definition.encode())
        for values in TWICE.items():
            connection.execute(READ_TWICE.replace("%", "%%").format("%s").encode(), values)
        connection.commit()
    with psycopg.connect(_address(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def database_megabytes(url: str) -> float:
    """Return the size of a database on the disk."""
    with psycopg.connect(_address(url)) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return found[0] / 1e6 if found else 0.0


def _address(url: str) -> str:
    return url.replace(DIALECT, "postgresql://", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.bench.postgres_entries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="of an empty database")
    parser.add_argument(
        "--entries", type=whole_number(1, 10**9), default=1_000_000, help="default: a million"
    )
    parser.add_argument(
        "--slowest", type=whole_number(1, 1000), default=SLOWEST, help="queries to print"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
