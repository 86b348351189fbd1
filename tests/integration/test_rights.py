"""A database's user who may not do everything is told by the doctor, with what to grant."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from cxr_app.errors import WorklistError
from cxr_app.operations.doctor import examine_installation
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.rights import require_rights
from tests.integration.conftest import DatabaseFactory, PostgresServer
from tests.support.outcomes import scored, sha256

USER = "weak-user"
TABLES = "ALL TABLES IN SCHEMA public"
GRANTS = {
    "nothing": [],
    "reading": [f"SELECT ON {TABLES}"],
    "adding": [f"SELECT, INSERT ON {TABLES}", "USAGE ON ALL SEQUENCES IN SCHEMA public"],
    "no sequences": [f"SELECT, INSERT, UPDATE, DELETE ON {TABLES}"],
    "one table less": [
        f"SELECT, INSERT, UPDATE, DELETE ON {TABLES}",
        "USAGE ON ALL SEQUENCES IN SCHEMA public",
    ],
}


@pytest.fixture
def weak(postgres: PostgresServer, new_database: DatabaseFactory) -> tuple[str, "Run"]:
    """A worklist as a user without rights sees it, and how its owner grants them."""
    url = new_database("postgresql", upgraded=True)
    postgres.execute(f'DROP ROLE IF EXISTS "{USER}"')
    postgres.execute(f'CREATE ROLE "{USER}" LOGIN')

    def run(statement: str) -> None:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())

    return url.replace("tests@", f"{USER}@"), run


Run = Callable[[str], None]


@pytest.mark.parametrize("granted", GRANTS)
def test_what_is_missing_is_said_and_what_is_said_to_be_granted_is_enough(
    weak: tuple[str, Run], granted: str, tmp_path: Path
) -> None:
    url, run = weak
    for grant in GRANTS[granted]:
        run(f'GRANT {grant} TO "{USER}"')
    if granted == "one table less":
        run(f'REVOKE UPDATE ON worklist_outgoing FROM "{USER}"')
    (tmp_path / "data").mkdir(mode=0o700)
    settings = Settings(data_dir=tmp_path / "data", database_url=url)
    found = {each.name: each.problem for each in examine_installation(settings)}
    advice = found["worklist"].partition("Run as their owner: ")[2]
    assert advice
    if granted == "one table less":
        assert "needs on worklist_outgoing." in found["worklist"]
    run(advice)
    require_rights(url)
    with closing(Worklist.open(url)) as worklist:
        worklist.receive(sha256(1), "a.dcm", Path("/film"))
        worklist.record(scored(1))


def test_a_read_only_server_is_named(weak: tuple[str, Run]) -> None:
    url, run = weak
    name = url.rpartition("/")[2]
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(WorklistError, match="read-only"):
        require_rights(url)


@pytest.mark.parametrize("closed", ["worklist.sqlite", "data"])
def test_a_file_that_another_user_owns_is_named(
    closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    Worklist.open(settings.worklist_url).close()
    require_rights(settings.worklist_url)
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != closed and allowed(path, mode)
    )
    with pytest.raises(WorklistError, match=closed):
        require_rights(settings.worklist_url)


def test_where_no_worklist_is_yet_nothing_is_missing(empty_url: str) -> None:
    require_rights(empty_url)
