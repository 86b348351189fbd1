"""Fill a data folder by the program of an earlier version: run within its folder, not imported.

    python fill_earlier_version.py DATA_FOLDER DATABASE_URL

Every kind of thing that an installation of version 0.2.0 keeps is in it, small and drawn.
"""

import hashlib
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from pathlib import Path
from typing import Any

import torch
from sqlalchemy import create_engine, text

from cxr_app.film_store import FilmStore
from cxr_app.model import checkpoint, networks
from cxr_app.retention import Retention
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.settings import PROJECT, Settings
from cxr_app.worklist import Cause, Query, Verdict, Worklist
from tests.support.checkpoints import describe
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

FILMS = 6
ARCHITECTURE = "five_conv_swish"
PLACE = Path("/var/lib/chest-film-triage")
"""The data folder that the entries name, whatever folder was filled."""


def uids(number: int) -> dict[str, Any]:
    """Return the UIDs of a film: the same in every data folder, so that its SHA-256 is too."""
    names = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    return {name: f"1.2.826.0.1.{place}.{number + 1}" for place, name in enumerate(names)}


def films() -> dict[str, bytes]:
    """Return files by name: films of three patients, a lateral view, and no film."""
    found = {}
    for number in range(FILMS):
        facts: dict[str, Any] = {
            "PatientName": f"Zebedea^{number % 3}",
            "PatientID": f"QX-{number % 3}",
            "AccessionNumber": f"QX-{number}",
            "StudyDate": f"2026010{number + 1}",
            "PatientBirthDate": "20190101",
            "PatientAge": "007Y",
            "ViewPosition": "AP",
            **uids(number),
        }
        dataset = radiograph_dataset(film_pixels(120, 112, bits=8, seed=number), **facts)
        found[f"{number}.dcm"] = dicom_bytes(dataset)
    lateral = radiograph_dataset(film_pixels(120, 112, bits=8), ViewPosition="LL", **uids(100))
    found["lateral.dcm"] = dicom_bytes(lateral)
    found["letter.txt"] = b"no film"
    return found


def receive(store: FilmStore, worklist: Worklist, source: str, content: bytes, days: int) -> str:
    """Receive a film as long ago as this number of days."""
    sha256 = store.keep(content)
    received_at = datetime.now(UTC) - timedelta(days=days)
    return worklist.receive(sha256, source, store.path(sha256), received_at)[0]


def score(settings: Settings, worklist: Worklist) -> None:
    """Let the server's engine score what was received."""
    engine = ScoringEngine(settings, worklist)
    engine.start()
    while worklist.next_received():
        if engine.status().state == "failed":
            sys.exit(engine.status().message)
        time.sleep(0.1)
    engine.stop()


def promote(settings: Settings, worklist: Worklist) -> None:
    """Put a small network to use that gives every film the same probability."""
    network = networks.build(ARCHITECTURE)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.fill_(0.125)
    settings.models_dir.mkdir(mode=0o700)
    written = settings.models_dir / "written.safetensors"
    description = describe(network.size or 64, 0.5, ARCHITECTURE, network.classes)
    checkpoint.save(written, checkpoint.rounded(network), description)
    sha256 = hashlib.sha256(written.read_bytes()).hexdigest()
    written.rename(settings.models_dir / f"{sha256}.safetensors")
    worklist.promotions.put_to_use(
        sha256, "small-1", by="Ada", instead_of=None, replaced_version="pneumonia"
    )


def fill(settings: Settings) -> None:
    """Fill the installation, and close it as a server does."""
    store, worklist = FilmStore(settings.films_dir), Worklist.open(settings.worklist_url)
    entries = [receive(store, worklist, name, content, 40) for name, content in films().items()]
    score(settings, worklist)
    worklist.mark_read(entries[3], "Weiss")
    sweep = Retention(settings, worklist, lambda: datetime.now(UTC) + timedelta(days=2))
    sweep.sweep()
    worklist.reviews.add(entries[0], "Weiss", Verdict.AGREE, cause=Cause.VIRAL, comment="clear")
    worklist.reviews.add(entries[1], "Ada", Verdict.DISAGREE)
    worklist.reviews.add(entries[2], "Ada", comment="to be seen again")
    worklist.claims.claim(entries[4], "Ada")
    worklist.unmasking.record("Ada")
    worklist.unmasking.masking_key()
    late = radiograph_dataset(film_pixels(96, 96), **uids(101))
    receive(store, worklist, "late.dcm", dicom_bytes(late), 0)
    job = methodcaller("ask", "backlog", {"folder": "/films"})(worklist.jobs)
    folder = settings.jobs_dir / job.id
    folder.mkdir(parents=True, mode=0o700)
    (folder / "results.csv").write_text("file,state\na.dcm,SCORED\n")
    settings.recipes_dir.mkdir(mode=0o700)
    recipe = PROJECT / "training" / "recipes" / "four_conv.toml"
    (settings.recipes_dir / "ours.toml").write_text(recipe.read_text())
    promote(settings, worklist)
    assert worklist.count(Query(state="all")) == FILMS + 3
    worklist.close()
    place(settings)


def place(settings: Settings) -> None:
    """Name the films as they are in `PLACE`, so that no folder of this computer is named."""
    engine = create_engine(settings.worklist_url)
    with engine.begin() as connection:
        for number, path in connection.execute(text("SELECT number, path FROM worklist_entry")):
            there = PLACE / Path(bytes(path).decode()).relative_to(settings.data_dir)
            values = {"number": number, "path": bytes(there)}
            connection.execute(
                text("UPDATE worklist_entry SET path = :path WHERE number = :number"), values
            )
    engine.dispose()
    if settings.worklist_url.startswith("sqlite"):
        with closing(sqlite3.connect(settings.data_dir / "worklist.sqlite")) as written:
            written.execute("VACUUM")


if __name__ == "__main__":
    fill(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2], retention_days=1))
