"""What identifies a patient is deleted with the film, to the last byte."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine, text

from cxr_app.atomic_file import PARTIAL
from cxr_app.radiograph import Header
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Verdict
from tests.support.site import DAY, DAYS, PLANTED, Clock, Site


def test_scores_and_reviews_stay_and_the_patient_goes(site: Site) -> None:
    film = site.read_film(b"film")
    before = site.worklist.entry(film)
    site.days_pass()
    entry = site.worklist.entry(film)
    assert entry.header == Header(patient_sex="F", view_position="AP")
    assert entry.source == ""
    assert entry.pneumonia_probability == before.pneumonia_probability
    assert (entry.read_by, entry.read_at) == ("Weiss", before.read_at)
    assert len(site.worklist.scores(film)) == 1
    assert [review.verdict for review in site.worklist.reviews.of_film(film)] == [Verdict.AGREE]
    for word in ("quuxlove", "zebedea", "QX-18151210", "QX-77", "1.2.77"):
        assert site.worklist.count(Query(state="all", text=word)) == 0
    assert site.worklist.count(Query(state="all", text=film[:8])) == 1
    engine = create_engine(site.settings.worklist_url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM worklist_entry")).one()
        events = connection.execute(text("SELECT * FROM worklist_event")).all()
    engine.dispose()
    page_text = f"{row} {events}".lower()
    assert not [fact for fact in PLANTED.values() if fact.lower() in page_text]


def bytes_of(site: Site) -> bytes:
    """Return everything that the database keeps in files."""
    return b"".join(path.read_bytes() for path in site.settings.data_dir.glob("worklist.sqlite*"))


def test_no_byte_of_a_name_stays_in_the_files_of_the_worklist(tmp_path: Path) -> None:
    letters = "ⵣⴰⴽ"
    planted = [*PLANTED.values(), letters]
    site = Site(
        Settings(data_dir=tmp_path / "data", retention_days=DAYS, retention_share=1), Clock()
    )
    for number in range(30):
        site.upload(b"%d" % number, f"{number}.dcm")
    site.read_film(b"film")
    another = site.score(site.upload(b"another", f"{letters}.dcm"))
    site.worklist.mark_read(another, "Weiss")
    kept = bytes_of(site)
    assert all(word.encode() in kept for word in planted)
    assert site.days_pass() == 2
    kept = bytes_of(site).lower()
    site.worklist.close()
    assert len(kept) > 50_000
    assert not [word for word in planted if word.lower().encode() in kept]
    assert letters[:2].encode() not in kept, "the search index keeps them three by three"


def test_what_training_has_decoded_goes_with_the_film(site: Site) -> None:
    site.read_film(b"film")
    site.retention.sweep()  # the first forgets what a killed server may have left
    cache = site.settings.cache_dir
    cache.mkdir()
    written, left_behind = cache / f".new.npy.0a{PARTIAL}", cache / f".old.npy.0b{PARTIAL}"
    for name in ("whole.npy", "of_an_older_version.partial.npy", written.name, left_behind.name):
        (cache / name).write_bytes(b"pixels")
    os.utime(left_behind, (0, 0))
    site.retention.sweep()
    assert (cache / "whole.npy").exists()
    site.days_pass()
    assert list(cache.iterdir()) == [written]


def test_what_a_killed_server_left_of_a_name_goes_with_the_next_sweep(tmp_path: Path) -> None:
    site = Site(
        Settings(data_dir=tmp_path / "data", retention_days=DAYS, retention_share=1), Clock()
    )
    film = site.read_film(b"film")
    site.days_pass(DAYS + 1)
    site.clock.now += timedelta(minutes=1)
    site.worklist.deletions.delete(film, site.clock.now, site.films.delete)
    assert b"Zebedea" in bytes_of(site)
    assert Retention(site.settings, site.worklist, site.clock).sweep() == 0
    assert b"Zebedea" not in bytes_of(site)
    site.worklist.close()


def test_a_name_that_is_being_read_is_erased_by_the_next_sweep(tmp_path: Path) -> None:
    site = Site(
        Settings(data_dir=tmp_path / "data", retention_days=DAYS, retention_share=1), Clock()
    )
    site.read_film(b"film")
    site.days_pass(DAYS + 1)
    site.clock.now += DAY
    reader = sqlite3.connect(site.settings.data_dir / "worklist.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM worklist_entry").fetchall()
    assert site.retention.sweep() == 1
    assert b"Zebedea" in bytes_of(site)
    reader.close()
    assert site.retention.sweep() == 0
    assert b"Zebedea" not in bytes_of(site)
    site.worklist.close()


def test_a_score_that_comes_late_brings_no_patient_back(site: Site) -> None:
    film = site.read_film(b"film")
    site.days_pass()
    site.score(film, "model-2")
    entry = site.worklist.entry(film)
    assert (entry.model_version, entry.header) == (
        "model-2",
        Header(patient_sex="F", view_position="AP"),
    )
    assert site.worklist.count(Query(state="all", text="zebedea")) == 0
