"""A film in several files is one film to retention, backups and the doctor; ours are safe here."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from cxr_app.film_store import FilmStore, read_film
from cxr_app.operations.backup import back_up, verify
from cxr_app.operations.doctor import examine_installation
from cxr_app.operations.opening import reenter_films
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.worklist import Query, Verdict
from tests.support.desk import scored
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.site import Site

DATASET = radiograph_dataset()
FILM = dicom_bytes(DATASET)
IN_ANOTHER_SYNTAX = dicom_bytes(DATASET, ImplicitVRLittleEndian)


def _with_another_header() -> bytes:
    other, buffer = dcmread(BytesIO(FILM)), BytesIO()
    other.file_meta.ImplementationVersionName = "OTHER"
    other.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


WITH_ANOTHER_HEADER = _with_another_header()


@pytest.fixture
def reception(site: Site) -> Reception:
    return Reception(site.films, site.worklist)


def in_two_syntaxes(site: Site, reception: Reception) -> str:
    """Receive one film in two transfer syntaxes and score it; return its entry's id."""
    entry_id = reception.receive(FILM, "film.dcm").entry_id
    assert reception.receive(IN_ANOTHER_SYNTAX, "PACS").entry_id == entry_id
    site.worklist.record(scored(FILM, 0.8))
    assert len(list(site.films.stored())) == 2
    return entry_id


def second_file(site: Site, entry_id: str) -> str:
    """Return the SHA-256 of the stored file that a film is not shown from."""
    own = site.worklist.entry(entry_id).sha256
    return next(each for each in site.films.stored() if each != own)


def in_folder(site: Site, folder: Path) -> str:
    """Enter a film from a folder of a backlog; return its entry's id."""
    path = folder / "film.dcm"
    path.write_bytes(FILM)
    outcome = scored(FILM, 0.8)
    site.worklist.enter([(outcome, "film.dcm", path)])
    entry = site.worklist.entry_by_sha256(outcome.sha256)
    assert entry is not None
    return entry.id


def read(site: Site, entry_id: str) -> None:
    site.worklist.reviews.add(entry_id, "Weiss", Verdict.AGREE)


def test_the_second_file_of_a_film_is_no_film_of_its_own(site: Site, reception: Reception) -> None:
    entry_id = in_two_syntaxes(site, reception)
    said = {each.name: each.problem for each in examine_installation(site.settings)}
    assert said["films"] == ""
    count = reenter_films(site.settings, site.worklist)
    assert (count.entered, count.known) == (0, 2)
    read(site, entry_id)
    site.days_pass()
    assert list(site.films.stored()) == []


def test_the_doctor_misses_the_second_file_of_a_film(site: Site, reception: Reception) -> None:
    entry_id = in_two_syntaxes(site, reception)
    site.films.delete(second_file(site, entry_id))
    said = {each.name: each.problem for each in examine_installation(site.settings)}
    assert said["films"].startswith("1 ")


def test_retention_leaves_a_file_that_another_film_has(site: Site, reception: Reception) -> None:
    """An earlier version of `reenter` entered the second file of a film once more."""
    entry_id = in_two_syntaxes(site, reception)
    further = second_file(site, entry_id)
    again, _ = site.worklist.receive(further, "entered again", site.films.path(further))
    read(site, entry_id)
    assert site.days_pass() == 1
    assert list(site.films.stored()) == [further]
    assert site.is_kept(again)


def test_a_backup_loses_every_file_of_a_deleted_film(
    site: Site, reception: Reception, tmp_path: Path
) -> None:
    entry_id = in_two_syntaxes(site, reception)
    assert back_up(site.settings, tmp_path / "backup").lost == []
    read(site, entry_id)
    site.days_pass()
    back_up(site.settings, tmp_path / "backup")
    assert list(FilmStore(tmp_path / "backup" / "films").stored()) == []


def test_a_backup_loses_the_file_that_a_film_had_before_it_came_back(
    site: Site, reception: Reception, tmp_path: Path
) -> None:
    entry_id = reception.receive(FILM, "film.dcm").entry_id
    site.worklist.record(scored(FILM, 0.8))
    back_up(site.settings, tmp_path / "backup")
    read(site, entry_id)
    site.days_pass()
    back = reception.receive(WITH_ANOTHER_HEADER, "PACS")
    assert (back.arrived, back.entry_id) == (Arrived.NEW, entry_id)
    site.worklist.record(scored(WITH_ANOTHER_HEADER, 0.8))
    read(site, entry_id)
    site.days_pass()
    back_up(site.settings, tmp_path / "backup")
    assert list(FilmStore(tmp_path / "backup" / "films").stored()) == []


def test_a_backup_names_the_second_file_that_got_lost(
    site: Site, reception: Reception, tmp_path: Path
) -> None:
    entry_id = in_two_syntaxes(site, reception)
    further = second_file(site, entry_id)
    manifest = back_up(site.settings, tmp_path / "backup")
    assert (manifest.entries, manifest.films) == (1, 2)
    FilmStore(tmp_path / "backup" / "films").delete(further)
    assert verify(tmp_path / "backup") == [f"The film {further[:8]} is missing or damaged."]
    site.films.delete(further)
    assert back_up(site.settings, tmp_path / "backup").lost == [further]


@pytest.mark.parametrize("data", [FILM, WITH_ANOTHER_HEADER, IN_ANOTHER_SYNTAX])
def test_a_film_that_is_received_is_kept_here_whatever_a_folder_holds(
    site: Site, reception: Reception, tmp_path: Path, data: bytes
) -> None:
    entry_id = in_folder(site, tmp_path)
    receipt = reception.receive(data, "PACS")
    assert (receipt.arrived, receipt.entry_id) == (Arrived.KNOWN, entry_id)
    (tmp_path / "film.dcm").unlink()
    entry = site.worklist.entry(entry_id)
    assert entry.path == site.films.path(entry.sha256)
    assert read_film(entry.path, entry.sha256) == data
    assert site.worklist.record(scored(FILM, 0.7, "another")) == entry_id  # scored meanwhile
    assert site.worklist.count(Query(state="all")) == 1
    read(site, entry_id)
    assert site.days_pass() == 1
    assert list(site.films.stored()) == []


@pytest.mark.parametrize("data", [FILM, WITH_ANOTHER_HEADER, IN_ANOTHER_SYNTAX])
def test_a_folder_that_holds_a_received_film_changes_nothing(
    site: Site, reception: Reception, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "film.dcm"
    path.write_bytes(data)
    entry_id = reception.receive(FILM, "film.dcm").entry_id
    before = site.worklist.entry(entry_id)
    assert reception.receive(data, "film.dcm", kept_at=path).entry_id == entry_id
    after = site.worklist.entry(entry_id)
    assert (after.sha256, after.path) == (before.sha256, before.path)
    assert list(site.films.stored()) == [before.sha256]
