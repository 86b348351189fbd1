"""Uploads wait on disk, privately, within bounds, and are gone once nobody needs them."""

import os
import stat
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.starlette import App

from cxr_app.settings import PROJECT
from cxr_app.ui.server import upload_spool
from cxr_app.ui.server.upload_spool import UploadSpool


@pytest.fixture
def spool(tmp_path: Path) -> UploadSpool:
    return UploadSpool("/upload", tmp_path / "incoming", window_bytes=10, all_bytes=15)


def add(spool: UploadSpool, file_id: str, data: bytes, window: str = "one") -> None:
    spool.add_file(window, UploadedFileRec(file_id, f"{file_id}.dcm", "application/dicom", data))


def on_disk(tmp_path: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (tmp_path / "incoming").iterdir())


def test_a_file_goes_to_disk_and_not_to_memory(spool: UploadSpool, tmp_path: Path) -> None:
    add(spool, "a", b"film")
    (record,) = spool.get_files("one", ["a"])
    assert (record.name, record.data) == ("a.dcm", b"")
    (path,) = (tmp_path / "incoming").iterdir()
    assert path.read_bytes() == b"film"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_was_taken_outlives_its_window_until_it_is_discarded(
    spool: UploadSpool, tmp_path: Path
) -> None:
    add(spool, "a", b"film")
    taken = spool.take("one", "a")
    assert taken is not None
    assert spool.get_files("one", ["a"]) == []
    spool.remove_session_files("one")
    assert (taken.name, taken.getvalue()) == ("a.dcm", b"film")
    taken.discard()
    assert on_disk(tmp_path) == []
    assert spool.take("one", "a") is None


def test_what_no_page_took_goes_with_its_window(spool: UploadSpool, tmp_path: Path) -> None:
    add(spool, "a", b"one's")
    add(spool, "b", b"two's", window="two")
    spool.remove_session_files("one")
    assert on_disk(tmp_path) == [b"two's"]
    spool.remove_file("two", "b")
    assert on_disk(tmp_path) == []


def test_bounds_hold_for_a_window_and_for_all_and_free_up(
    spool: UploadSpool, tmp_path: Path
) -> None:
    add(spool, "a", bytes(10))
    taken = spool.take("one", "a")
    assert taken is not None
    with pytest.raises(HTTPException, match="Too much is waiting"):
        add(spool, "b", b"1")
    add(spool, "c", bytes(5), window="two")
    with pytest.raises(HTTPException, match="Too much is waiting"):
        add(spool, "d", b"1", window="three")
    assert len(on_disk(tmp_path)) == 2
    taken.discard()
    add(spool, "b", bytes(10))


def test_a_disk_that_takes_nothing_refuses_in_words(spool: UploadSpool, tmp_path: Path) -> None:
    (tmp_path / "incoming").rmdir()
    with pytest.raises(HTTPException, match="disk does not take it"):
        add(spool, "a", b"film")
    assert spool.get_files("one", ["a"]) == []
    (tmp_path / "incoming").mkdir()
    add(spool, "a", bytes(10))  # nothing is counted twice


def test_what_a_killed_server_left_goes_a_day_later(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    for name in ("old", "new"):
        (folder / name).write_bytes(b"film")
    os.utime(folder / "old", (0, 0))
    UploadSpool("/upload", folder)
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_streamlit_makes_its_runtime_with_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = MemoryUploadedFileManager.__name__
    monkeypatch.setattr(memory_uploaded_file_manager, name, MemoryUploadedFileManager)
    upload_spool.install(tmp_path / "incoming")
    made = memory_uploaded_file_manager.MemoryUploadedFileManager("/upload")
    assert isinstance(made, UploadSpool)
    source = (Path(__import__("inspect").getfile(App._create_runtime))).read_text()
    assert f"import (\n            {name},\n        )" in source, "it is imported when it is made"
    assert (PROJECT / "app.py").read_text().index("upload_spool.install") > 0
