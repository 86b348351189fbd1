"""Films in the zip archives of a backlog folder."""

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from cxr_app.film_store import FilmStore, read_film
from cxr_app.worklist import Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes
from tests.support.films import jpeg
from training import batch


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(write_tiny(tmp_path / "tiny.safetensors")))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    return tmp_path / "data"


FILM = dicom_bytes()


def pack(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a film of its own, archives with films, and archives without."""
    folder = tmp_path / "backlog"
    folder.mkdir()
    (folder / "plain.jpeg").write_bytes(jpeg(1))
    pack(
        folder / "disc.zip",
        {"DICOM/IM1": FILM, "DICOM/b.jpeg": jpeg(2), "AUTORUN.INF": b"[autorun]"},
    )
    pack(folder / "papers.zip", {"letter.txt": b"?", "AUTORUN.INF": b"[autorun]"})
    whole = (folder / "disc.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    pack(folder / "form.docx", {"word/document.xml": b"<w/>"})
    return folder


def run(folder: Path, out: Path, *options: str) -> dict[str, dict[str, str]]:
    """Run the command in this process; return the rows by source."""
    batch.main([str(folder), "--out", str(out), "--workers", "0", *options])
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["source"] for row in rows}) == len(rows)
    return {row["source"]: row for row in rows}


def test_films_of_archives_have_rows_and_entries(
    folder: Path, tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = run(folder, tmp_path / "results.csv")
    assert {source: row["state"] for source, row in rows.items()} == {
        "plain.jpeg": "SCORED",
        "disc.zip/DICOM/IM1": "SCORED",
        "disc.zip/DICOM/b.jpeg": "SCORED",
        "papers.zip/letter.txt": "FAILED",
        "cut.zip": "FAILED",
    }
    assert "damaged or cut short" in rows["cut.zip"]["reason"]
    assert "disc.zip/AUTORUN.INF" in capsys.readouterr().out
    worklist = Worklist.open(f"sqlite:///{data_dir}/worklist.sqlite")
    entries = {entry.source: entry for entry in worklist.page(Query(state="all"), limit=10)}
    worklist.close()
    assert set(entries) == set(rows)
    film = entries["disc.zip/DICOM/b.jpeg"]
    assert read_film(film.path, film.sha256) == jpeg(2)


def test_films_of_archives_are_scored_once(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    first = run(folder, out)
    again = run(folder, out)
    assert again == first
    pack(folder / "disc.zip", {"DICOM/IM1": FILM, "DICOM/new.jpeg": jpeg(3)})
    later = run(folder, out)
    assert later["disc.zip/DICOM/new.jpeg"]["state"] == "SCORED"
    assert later["disc.zip/DICOM/IM1"] == first["disc.zip/DICOM/IM1"]


def test_without_a_worklist_nothing_is_stored(folder: Path, tmp_path: Path, data_dir: Path) -> None:
    rows = run(folder, tmp_path / "results.csv", "--no-worklist")
    assert rows["disc.zip/DICOM/IM1"]["state"] == "SCORED"
    assert not FilmStore(data_dir / "films").root.exists()


def test_two_files_of_one_name_are_not_taken_for_one(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(folder / "twice.zip", "w") as archive:
        archive.writestr("a.jpeg", jpeg(4))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.jpeg", jpeg(5))
    row = run(folder, tmp_path / "results.csv")["twice.zip"]
    assert row["state"] == "REJECTED"
    assert "unpack" in row["reason"].lower()


def test_an_archive_behind_a_link_that_leads_out_is_not_opened(
    folder: Path, tmp_path: Path
) -> None:
    pack(tmp_path / "elsewhere.zip", {"a.jpeg": jpeg(6)})
    (folder / "linked.zip").symlink_to(tmp_path / "elsewhere.zip")
    rows = run(folder, tmp_path / "results.csv", "--within", str(folder))
    assert rows["linked.zip"]["state"] == "FAILED"
    assert "linked.zip/a.jpeg" not in rows
