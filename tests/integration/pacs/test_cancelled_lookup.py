"""A look in the archive ends as cancelled whenever Cancel was pressed, and soon."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt

from cxr_app.pacs.archive_lookup import ArchiveLookup
from cxr_app.pacs.association import VERIFICATION
from cxr_app.pacs.film_archive import FIND, GET
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from cxr_app.ui.text import lookup_text
from cxr_app.worklist import Worklist

SOON = 5.0
HEADER = Header(patient_id="P-77", patient_name="Lovelace^Ada", study_date="20261120")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@contextmanager
def hung() -> Iterator[int]:
    """Take every connection, and answer nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: take(server, taken), daemon=True).start()
        yield server.getsockname()[1]
        for each in taken:
            each.close()


def take(server: socket.socket, taken: list[socket.socket]) -> None:
    while True:
        try:
            taken.append(server.accept()[0])
        except OSError:
            return


@contextmanager
def answering(
    answers: Callable[[evt.Event], Iterator[tuple[int, Dataset | None]]],
) -> Iterator[int]:
    """Run an archive that answers a search so."""
    entity = AE("ARCH")
    for uid in (VERIFICATION, FIND, GET):
        entity.add_supported_context(uid)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answers)]
    )
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def slowly(_event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
    time.sleep(8)
    yield 0x0000, None


def without_end(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
    for number in range(2_000):
        if event.is_cancelled or not event.assoc.is_established:
            return
        time.sleep(0.02)
        study = Dataset()
        study.QueryRetrieveLevel = "STUDY"
        study.StudyInstanceUID = f"2.25.{number}"
        study.PatientID = HEADER.patient_id
        yield 0xFF00, study


ARCHIVES: dict[str, tuple[Callable[[], AbstractContextManager[int]], str]] = {
    "no answer to the association": (hung, "ARCH@127.0.0.1:{port}"),
    "no answer to the web": (hung, "http://127.0.0.1:{port}/dicom-web"),
    "a slow search": (lambda: answering(slowly), "ARCH@127.0.0.1:{port}"),
    "a search without end": (lambda: answering(without_end), "ARCH@127.0.0.1:{port}"),
}


@pytest.fixture
def worklist(tmp_path: Path) -> Iterator[Worklist]:
    opened = Worklist.open(Settings(data_dir=tmp_path).worklist_url)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_search_ends_soon_after_cancel(name: str, worklist: Worklist, tmp_path: Path) -> None:
    archive, address = ARCHIVES[name]
    with archive() as port:
        settings = Settings(data_dir=tmp_path, films_from=address.format(port=port))
        lookup = ArchiveLookup(settings, worklist, HEADER, "x")
        lookup.start()
        lookup.wait(0.5)
        assert lookup.status().state == "searching"
        lookup.cancel()
        assert lookup.status().state in ("cancelling", "cancelled")
        lookup.wait(SOON)
        status = lookup.status()
    assert (status.state, status.message, status.is_active) == ("cancelled", "", False)
    assert lookup_text.ended(status) == "Cancelled; no earlier films fetched."


@pytest.mark.parametrize("name", ARCHIVES)
def test_cancel_at_the_very_beginning_counts(name: str, worklist: Worklist, tmp_path: Path) -> None:
    archive, address = ARCHIVES[name]
    with archive() as port:
        settings = Settings(data_dir=tmp_path, films_from=address.format(port=port))
        lookup = ArchiveLookup(settings, worklist, HEADER, "x")
        lookup.cancel()
        lookup.start()
        lookup.wait(SOON)
        assert lookup.status().state == "cancelled"


def test_a_fault_after_cancel_is_no_failure(
    worklist: Worklist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, films_from="ARCH@127.0.0.1:1")
    lookup = ArchiveLookup(settings, worklist, HEADER, "x")

    def fail(*_: Any) -> None:
        lookup.cancel()
        assert lookup_text.progress(lookup.status()) == "Being cancelled …"
        raise RuntimeError

    monkeypatch.setattr("cxr_app.pacs.archive_lookup.film_source", fail)
    lookup.start()
    lookup.wait(SOON)
    assert lookup.status().state == "cancelled"


def test_cancel_after_the_end_changes_nothing(worklist: Worklist, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, films_from="ARCH@127.0.0.1:1")
    lookup = ArchiveLookup(settings, worklist, HEADER, "x")
    lookup.start()
    lookup.wait(60)
    lookup.cancel()
    assert lookup.status().state == "failed"
