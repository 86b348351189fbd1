"""What a PostgreSQL server that refuses a connection is told of: each with its own advice."""

from collections.abc import Iterator

import pytest

from cxr_app.errors import WorklistError
from cxr_app.worklist import Query, Worklist
from tests.integration.conftest import PostgresServer, running_postgres

RULES = """
host all reader 127.0.0.1/32 scram-sha-256
host all tests,single,nologin,nobody 127.0.0.1/32 trust
"""
USERS = (
    "CREATE ROLE reader LOGIN PASSWORD 'right'",
    "CREATE ROLE single LOGIN CONNECTION LIMIT 0",
    "CREATE ROLE nologin",
    "CREATE DATABASE closed",
    "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
)


@pytest.fixture(scope="module")
def strict() -> Iterator[PostgresServer]:
    """A server that asks some users for a password and has none but those of `USERS`."""
    with running_postgres() as server:
        for statement in USERS:
            server.execute(statement)
        (server.data / "pg_hba.conf").write_text(RULES)
        server.stop()
        server.start()
        yield server


def refusal(url: str) -> str:
    with pytest.raises(WorklistError) as caught:
        Worklist.open(url)
    return str(caught.value)


@pytest.mark.parametrize(
    ("user", "database", "code", "advice"),
    [
        ("nobody", "postgres", "28000", "refuses this user"),
        ("nologin", "postgres", "28000", "refuses this user"),
        ("stranger", "postgres", "28000", "refuses this user"),
        ("reader:wrong", "postgres", "28000", "refuses this user"),
        ("reader", "postgres", "28000", "refuses this user"),
        ("tests", "nowhere", "3D000", "no such database"),
        ("reader:right", "nowhere", "3D000", "no such database"),
        ("single", "postgres", "53300", "no connection left"),
        ("reader:right", "closed", "08004", "its log says why"),
    ],
)
def test_each_refusal_has_its_own_advice(
    strict: PostgresServer, user: str, database: str, code: str, advice: str
) -> None:
    message = refusal(strict.url(database).replace("tests@", f"{user}@"))
    assert f"({code})" in message
    assert advice in message
    assert "wrong" not in message


def test_a_server_that_stops_cannot_be_reached_until_it_runs_again() -> None:
    with running_postgres() as server:
        worklist = Worklist.open(server.url("postgres"))
        server.stop()
        for _ in range(2):
            with pytest.raises(WorklistError, match=r"\(08000\).*cannot be reached"):
                worklist.count(Query())
        server.start()
        assert worklist.count(Query()) == 0
        worklist.close()
