"""A backlog straight from a real archive: every film once, whatever interrupts the run."""

import csv
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cxr_app.errors import ArchiveError
from cxr_app.film_store import FilmStore
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.reception import Reception
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.integration.conftest import running_postgres
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from training import batch
from training.backlog import archive_origin, film_fetching, patience

FILMS = 5
QUERY = "StudyDate=20261101-20261126 Modality=DX"


@pytest.fixture(scope="module")
def uids() -> list[str]:
    """SOP Instance UIDs of the films of the archive that are wanted."""
    return []


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, uids: list[str]) -> Iterator[Orthanc]:
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        for number in range(FILMS):
            ds = radiograph_dataset(
                film_pixels(seed=number), Modality="DX", StudyDate=f"202611{number + 1:02}"
            )
            server.post("/instances", dicom_bytes(ds))
            uids.append(str(ds.SOPInstanceUID))
        for other in ({"Modality": "CR"}, {"StudyDate": "20261127"}):
            elements: dict[str, Any] = {"Modality": "DX", "StudyDate": "20261103"} | other
            server.post("/instances", dicom_bytes(radiograph_dataset(**elements)))
        yield server


@pytest.fixture
def settings(orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    checkpoint = write_tiny(tmp_path / "tiny.safetensors")
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(checkpoint))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    monkeypatch.setenv("CXR_FILMS_FROM", f"{orthanc.title}@127.0.0.1:{orthanc.dicom_port}")
    monkeypatch.setattr(archive_origin, "FILMS_AT_ONCE", 2)
    return Settings.read()


def run(out: Path, *more: str, query: str = QUERY) -> int:
    return batch.main(["--from-pacs", query, "--out", str(out), "--workers", "0", *more])


def rows(out: Path) -> list[dict[str, str]]:
    with out.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def entered(settings: Settings) -> list[tuple[str, str]]:
    """Return SOP Instance UID and source of every entry; each is scored, and its film kept."""
    worklist = Worklist.open(settings.worklist_url)
    entries = worklist.page(Query(state="all"), limit=100)
    worklist.close()
    for entry in entries:
        assert entry.scored_at is not None
        assert FilmStore(settings.films_dir).read(entry.sha256)
    return [
        (entry.header.sop_instance_uid if entry.header else "", entry.source) for entry in entries
    ]


def test_the_films_of_the_query_are_scored_and_entered_once(
    settings: Settings, uids: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.csv"
    for number in range(2):
        assert run(out) == 0
        summary = capsys.readouterr().out
        assert ("5 files were in" in summary) == (number == 1)
        assert [row["source"] for row in rows(out)] == uids
        assert {row["state"] for row in rows(out)} == {"SCORED"}
        assert sorted(entered(settings)) == sorted((uid, settings.films_from) for uid in uids)


def test_a_run_that_was_cut_off_continues(
    settings: Settings, uids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First by its limit, then by an archive that is gone for good."""
    out = tmp_path / "results.csv"
    assert run(out, "--limit", "1") == 0
    assert [row["source"] for row in rows(out)] == uids[:1]
    asked: list[str] = []
    fetch = FilmArchive.fetch

    def break_down(archive: FilmArchive, film: ArchivedFilm) -> bytes:
        asked.append(film.sop_instance_uid)
        if len(asked) > 2:
            archive._association.abort()
            raise ArchiveError("The archive ended the association.")
        return fetch(archive, film)

    def refuse(*_: object, **__: object) -> None:
        raise ArchiveError("The archive cannot be reached.")

    with monkeypatch.context() as crash:
        crash.setattr(FilmArchive, "fetch", break_down)
        crash.setattr(film_fetching, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
        opened = FilmArchive.__enter__
        crash.setattr(
            FilmArchive,
            "__enter__",
            lambda archive: refuse() if len(asked) > 2 else opened(archive),
        )
        assert run(out) == 2
    assert [row["source"] for row in rows(out)] == uids[:3]
    assert run(out) == 0
    assert [row["source"] for row in rows(out)] == uids
    assert len(entered(settings)) == FILMS


def test_a_film_that_is_not_sent_is_named_and_tried_again(
    settings: Settings, uids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.csv"
    fetch = FilmArchive.fetch

    def fail(archive: FilmArchive, film: ArchivedFilm) -> bytes:
        if film.sop_instance_uid == uids[0]:
            archive._association.abort()
            raise ArchiveError("The archive ended the association.")
        if film.sop_instance_uid == uids[1]:
            return fetch(archive, film)[:-1000]
        return fetch(archive, film)

    with monkeypatch.context() as damaged:
        damaged.setattr(FilmArchive, "fetch", fail)
        damaged.setattr(film_fetching, "PAUSES_SECONDS", (0.1, 0.1, 0.1))
        assert run(out) == 1
    by_uid = {row["source"]: row for row in rows(out)}
    assert set(by_uid) == set(uids)
    assert "ended the association whenever" in by_uid[uids[0]]["reason"]
    assert "cut short" in by_uid[uids[1]]["reason"]
    assert [by_uid[uid]["state"] for uid in uids] == ["FAILED"] * 2 + ["SCORED"] * 3
    assert run(out) == 0
    assert {row["state"] for row in rows(out)} == {"SCORED"}
    assert len(entered(settings)) == FILMS


def test_a_film_that_was_received_before_stays_one_entry(
    settings: Settings, orthanc: Orthanc, uids: list[str], tmp_path: Path
) -> None:
    (instance,) = orthanc.post("/tools/lookup", uids[2].encode())
    worklist = Worklist.open(settings.worklist_url)
    data = orthanc.get(f"/instances/{instance['ID']}/file")
    Reception(FilmStore(settings.films_dir), worklist).receive(data, "uploaded.dcm")
    worklist.close()
    assert run(tmp_path / "results.csv") == 0
    sources = dict(entered(settings))
    assert len(sources) == FILMS
    assert sources[uids[2]] == "uploaded.dcm"


def test_films_that_share_a_uid_are_all_scored_and_each_once(
    settings: Settings, orthanc: Orthanc, tmp_path: Path
) -> None:
    out, query = tmp_path / "results.csv", "StudyDate=20261201 Modality=DX"
    first = radiograph_dataset(film_pixels(seed=21), Modality="DX", StudyDate="20261201")
    elements = {"SOPInstanceUID": first.SOPInstanceUID, "PatientID": "QX-2"}
    other = radiograph_dataset(
        film_pixels(seed=22), Modality="DX", StudyDate="20261201", **elements
    )
    uid = str(first.SOPInstanceUID)
    for count, film in ((1, first), (2, other), (2, None)):
        if film is not None:
            orthanc.post("/instances", dicom_bytes(film))
        assert run(out, query=query) == 0
        assert [row["source"] for row in rows(out)] == [uid] * count
        assert len({row["sha256"] for row in rows(out)}) == count
        assert len(entered(settings)) == count


def test_a_database_that_is_restarted_while_films_are_fetched_is_waited_for(
    settings: Settings, uids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = FilmArchive.fetch
    with running_postgres() as server:
        server.create("worklist", "template1")
        monkeypatch.setenv("CXR_DATABASE_URL", server.url("worklist"))

        def fetch_then_stop(archive: FilmArchive, film: ArchivedFilm) -> bytes:
            monkeypatch.setattr(FilmArchive, "fetch", fetch)
            data = fetch(archive, film)
            server.stop()
            return data

        def start(_: float) -> None:
            server.start()

        own_time = SimpleNamespace(monotonic=time.monotonic, sleep=start)
        monkeypatch.setattr(patience, "time", own_time)
        monkeypatch.setattr(FilmArchive, "fetch", fetch_then_stop)
        assert run(tmp_path / "results.csv") == 0
        assert [uid for uid, _ in sorted(entered(Settings.read()))] == sorted(uids)
    assert [row["source"] for row in rows(tmp_path / "results.csv")] == uids


def test_what_cannot_be_done_exits_with_2_and_says_why(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "results.csv"
    assert run(out, "--no-worklist") == 2
    assert "leave out --no-worklist" in capsys.readouterr().err
    assert run(out, query="Day=1") == 2
    assert "'Day' cannot be asked for" in capsys.readouterr().err
    monkeypatch.setenv("CXR_AE_TITLE", "STRANGER")
    assert run(out) == 2
    assert "STRANGER is registered there" in capsys.readouterr().err
    monkeypatch.setenv("CXR_FILMS_FROM", "")
    assert run(out) == 2
    assert "set CXR_FILMS_FROM" in capsys.readouterr().err


def test_an_archive_without_such_films_is_no_error(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "results.csv", query="StudyDate=19990101") == 0
    assert "has no film that matches StudyDate=19990101" in capsys.readouterr().out
    assert not any(each.name == "film-fetcher_0" for each in threading.enumerate())
