"""A worklist on each database that the program supports; the PostgreSQL server is a real one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
import pytest

from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.site import DAYS, Clock, Site

NO_SERVER = "PostgreSQL is not installed; install it with: apt-get install postgresql"
NO_USER = "PostgreSQL refuses to run as root; install setpriv (util-linux) and a user postgres"
START_SECONDS = 60


@dataclass(frozen=True)
class PostgresServer:
    """A server of this test run's own, on a free port; it forgets everything at the end."""

    programs: Path
    data: Path
    port: int
    as_user: tuple[str, ...]
    _processes: list["subprocess.Popen[bytes]"] = field(default_factory=list, compare=False)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/{database}"

    @cached_property
    def upgraded(self) -> str:
        """Name of a database with the empty tables of a worklist, to be copied."""
        self.create("upgraded", "template1")
        Worklist.open(self.url("upgraded")).close()
        return "upgraded"

    def create(self, name: str, template: str) -> None:
        """Create a database as a copy: of files, which is several times faster than of pages."""
        with self._connection() as connection:
            how = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{how}".encode())

    def execute(self, statement: str) -> None:
        with self._connection() as connection:
            connection.execute(statement.encode())

    def _connection(self) -> "psycopg.Connection[tuple[object, ...]]":
        address = f"host=127.0.0.1 port={self.port} user=tests dbname=postgres"
        return psycopg.connect(address, autocommit=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.data.parent / "postgres.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(*self.as_user, str(self.programs / "postgres"), "-D", str(self.data)),
                    *("-p", str(self.port), "-k", str(self.data)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"),
                    *("-c", "fsync=off", "-c", "full_page_writes=off"),
                ],
                cwd=self.data.parent,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self._processes.append(process)
        self._wait(process)

    def stop(self) -> None:
        """Stop the server, if it runs, and end its connections."""
        while self._processes:
            process = self._processes.pop()
            process.send_signal(signal.SIGINT)
            process.wait(START_SECONDS)

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.data.parent / "postgres.log").read_text(errors="replace")
        pytest.fail(f"PostgreSQL did not start:\n{log}")


def _programs() -> Path:
    on_path = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += [Path(on_path).resolve().parent] if on_path else []
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip(NO_SERVER)


def _unprivileged_user(folder: Path) -> tuple[str, ...]:
    """PostgreSQL refuses to run as root: find who else can run it, and give him the folder."""
    if os.geteuid() != 0:
        return ()
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users.get("nobody")
    setpriv = shutil.which("setpriv")
    if user is None or setpriv is None:
        pytest.skip(NO_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server, which a test that has it alone may stop and start."""
    programs = _programs()
    with tempfile.TemporaryDirectory(
        prefix="worklist-postgres-", ignore_cleanup_errors=True
    ) as made:
        folder = Path(made)
        server = PostgresServer(programs, folder / "data", _free_port(), _unprivileged_user(folder))
        initdb = [str(programs / "initdb"), "-D", str(server.data), "-U", "tests", "-A", "trust"]
        subprocess.run(
            [*server.as_user, *initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


class DatabaseFactory(Protocol):
    """Creates a database of a kind and returns its URL."""

    def __call__(self, kind: str, *, upgraded: bool = False) -> str: ...


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseFactory]:
    """Return a function that creates a sqlite or postgresql database and returns its URL.

    It is empty, or has the empty tables of a worklist.
    """
    made: list[str] = []

    def create(kind: str, *, upgraded: bool = False) -> str:
        name = f"worklist_{uuid4().hex}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite"
        server: PostgresServer = request.getfixturevalue("postgres")
        server.create(name, server.upgraded if upgraded else "template1")
        made.append(name)
        return server.url(name)

    yield create
    for name in made:
        server = request.getfixturevalue("postgres")
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def worklist_url(request: pytest.FixtureRequest, new_database: DatabaseFactory) -> str:
    return new_database(request.param, upgraded=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, new_database: DatabaseFactory) -> str:
    """A database without any table."""
    return new_database(request.param)


@pytest.fixture
def worklist(worklist_url: str) -> Iterator[Worklist]:
    worklist = Worklist.open(worklist_url)
    yield worklist
    worklist.close()


@pytest.fixture
def site(tmp_path: Path, worklist_url: str) -> Iterator[Site]:
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=worklist_url,
        retention_days=DAYS,
        retention_share=1,
    )
    opened = Site(settings, Clock())
    yield opened
    opened.worklist.close()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until a test moves it."""
    return Clock()


@pytest.fixture
def desk(worklist_url: str, clock: Clock) -> Iterator[Worklist]:
    """A worklist with that clock."""
    desk = Worklist.open(worklist_url, clock)
    yield desk
    desk.close()
