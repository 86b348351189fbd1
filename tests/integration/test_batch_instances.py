"""Films of a backlog folder that are in several files: one entry each, and a row for each file."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from cxr_app.film_store import FilmStore
from cxr_app.pacs.reception import OTHER_PIXELS, Arrived, Reception
from cxr_app.worklist import Entry, Query, Worklist
from cxr_app.worklist.further_files import MOST_SHARING
from tests.support.checkpoints import write_tiny
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    radiograph_dataset,
)
from training import batch

UID = "1.2.840.99999.4.7"


def drawn(seed: int = 0) -> Dataset:
    return radiograph_dataset(film_pixels(seed=seed), SOPInstanceUID=UID, PatientID="P-1")


FILM = dicom_bytes(drawn())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(write_tiny(tmp_path / "tiny.safetensors")))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    folder = tmp_path / "backlog"
    folder.mkdir()
    return folder


@pytest.fixture
def worklist(tmp_path: Path, folder: Path) -> Iterator[Worklist]:
    (tmp_path / "data").mkdir()
    with closing(Worklist.open(f"sqlite:///{tmp_path}/data/worklist.sqlite")) as opened:
        yield opened


def in_another_syntax(kind: str) -> bytes:
    """Return the film in another file: what a second archive makes of it."""
    if kind == "RLE":
        return compressed_dicom_bytes(drawn(), RLELossless)
    if kind == "big endian":
        return dicom_bytes(drawn(), ExplicitVRBigEndian)
    other, buffer = dcmread(io.BytesIO(FILM)), io.BytesIO()
    other.file_meta.ImplementationVersionName = "OTHER"
    other.preamble = b"other".ljust(128, b"\0")
    other.save_as(buffer)
    return buffer.getvalue()


def run(folder: Path, name: str = "results.csv") -> tuple[list[dict[str, str]], str]:
    """Run the command in this process; return its rows."""
    out = folder.parent / name
    batch.main([str(folder), "--out", str(out), "--workers", "0"])
    with out.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file)), out.read_text(encoding="utf-8")


def entries(worklist: Worklist) -> list[Entry]:
    return worklist.page(Query(state="all"), limit=100)


@pytest.mark.parametrize("kind", ["RLE", "big endian", "other program"])
def test_a_film_in_two_files_is_one_entry_and_is_scored_once(
    kind: str, folder: Path, worklist: Worklist, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.dcm").write_bytes(FILM)
    (folder / "b.dcm").write_bytes(in_another_syntax(kind))
    rows, text = run(folder)
    assert [row["state"] for row in rows] == ["SCORED", "SCORED"]
    assert rows[0]["sha256"] != rows[1]["sha256"]
    (entry,) = entries(worklist)
    assert len(worklist.scores(entry.id)) == 1
    assert not entry.remarks or OTHER_PIXELS not in entry.remarks
    capsys.readouterr()
    assert run(folder)[1] == text
    assert "2 files were in " in capsys.readouterr().out
    again, _ = run(folder, "other.csv")
    assert [row["sha256"] for row in again] == [row["sha256"] for row in rows]
    assert [each.id for each in entries(worklist)] == [entry.id]


@pytest.mark.parametrize("kind", ["RLE", "other program"])
def test_a_film_that_was_received_is_not_entered_again_from_a_folder(
    kind: str, folder: Path, worklist: Worklist
) -> None:
    received = Reception(FilmStore(folder.parent / "data" / "films"), worklist)
    receipt = received.receive(FILM, "MODALITY")
    run(folder)
    (folder / "b.dcm").write_bytes(in_another_syntax(kind))
    run(folder)
    (entry,) = entries(worklist)
    assert entry.id == receipt.entry_id
    assert entry.pneumonia_probability is not None
    assert received.receive(in_another_syntax(kind), "MODALITY").arrived is Arrived.KNOWN


def test_another_film_under_the_same_uid_is_kept_apart(folder: Path, worklist: Worklist) -> None:
    (folder / "a.dcm").write_bytes(FILM)
    (folder / "b.dcm").write_bytes(dicom_bytes(drawn(5)))
    run(folder)
    first, second = entries(worklist)
    assert OTHER_PIXELS in first.remarks
    assert OTHER_PIXELS in second.remarks


def test_a_uid_that_every_film_has_identifies_none(folder: Path, worklist: Worklist) -> None:
    """Each comparison decodes two films: a sender that numbers none must not make it quadratic."""
    count = MOST_SHARING + 4
    for number in range(count):
        (folder / f"{number:02}.dcm").write_bytes(dicom_bytes(drawn(number)))
    run(folder)
    assert len(entries(worklist)) == count
