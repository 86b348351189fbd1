"""An installation of an earlier version, as that version left it.

    python -m tests.support.earlier_version v0.2.0 postgresql+psycopg://...

writes `tests/data/installation_of_v0.2.0.zip`: the data folder with its SQLite worklist, and the
same worklist as pg_dump writes it, from an empty database. It needs the project's history.
"""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import psycopg
from sqlalchemy import Engine, create_engine, text

from cxr_app.settings import PROJECT, Settings

DATA = PROJECT / "tests" / "data"
FILL = PROJECT / "tests" / "support" / "fill_earlier_version.py"
PLACE = "/var/lib/chest-film-triage"
DUMP = "worklist.sql"
VERSION = "v0.2.0"


def unpack(settings: Settings, version: str = VERSION) -> None:
    """Unpack the installation into the data folder, and its worklist into the database."""
    with ZipFile(DATA / f"installation_of_{version}.zip") as archive:
        for name in archive.namelist():
            if name != DUMP:
                archive.extract(name, settings.data_dir)
        dump = archive.read(DUMP).decode()
    if settings.worklist_url.startswith("postgresql"):
        (settings.data_dir / "worklist.sqlite").unlink()
        address = settings.worklist_url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(dump.encode())
    engine = create_engine(settings.worklist_url)
    _place(engine, settings.data_dir)
    engine.dispose()


def _place(engine: Engine, folder: Path) -> None:
    """Let the entries name their films where they are now."""
    with engine.begin() as connection:
        for number, path in connection.execute(text("SELECT number, path FROM worklist_entry")):
            there = folder / Path(bytes(path).decode()).relative_to(PLACE)
            values = {"number": number, "path": bytes(there)}
            connection.execute(
                text("UPDATE worklist_entry SET path = :path WHERE number = :number"), values
            )


def program(version: str, folder: Path) -> None:
    """Unpack the program of a version out of the project's history."""
    command = ["git", "archive", version]
    packed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def write(version: str, url: str) -> None:
    """Let the program of a version fill both installations, and pack them."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program(version, folder / "program")
        environment = {**os.environ, "PYTHONPATH": str(folder / "program")}
        for data, database in (("sqlite", ""), ("postgresql", url)):
            command = [sys.executable, str(FILL), str(folder / data), database]
            subprocess.run(command, env=environment, check=True)
        dump = ["pg_dump", "--inserts", "--no-owner", url.replace("+psycopg", "")]
        dumped = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
        statements = [line for line in dumped.splitlines() if not line.startswith("\\")]
        with ZipFile(DATA / f"installation_of_{version}.zip", "w", ZIP_DEFLATED) as archive:
            archive.writestr(DUMP, "\n".join(statements))
            for path in sorted((folder / "sqlite").rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder / "sqlite"))


if __name__ == "__main__":
    write(*sys.argv[1:])
