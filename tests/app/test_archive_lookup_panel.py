"""Looking in the archive for earlier films, from the film page."""

import socket
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.pacs.archive_lookup import ArchiveLookup
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.orthanc import running
from tests.support.scored_films import score_film
from tests.support.worklists import page_text


def film_page(app: AppTest, entry_id: str) -> AppTest:
    app.run()
    app.switch_page("views/film.py")
    app.query_params["film"] = entry_id
    app.run()
    assert not app.exception
    return app


def run_until(page: AppTest, words: str) -> None:
    """Run the page, as its timer does in a browser, until it shows some words."""
    deadline = monotonic() + 120
    while words not in "\n".join([page_text(page), *(each.label for each in page.button)]):
        assert monotonic() < deadline, page_text(page)
        sleep(0.2)
        page.run()
        assert not page.exception


def test_without_an_archive_nothing_is_offered(app: AppTest, worklist: Worklist) -> None:
    page = film_page(app, score_film(Settings.read(), worklist, dicom_bytes()))
    assert not [button for button in page.button if button.key == "look_in_archive"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_archive_that_is_away_is_said(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_FILMS_FROM", "AWAY@127.0.0.1:1")
    page = film_page(app, score_film(Settings.read(), worklist, dicom_bytes()))
    page.button(key="look_in_archive").click().run()
    run_until(page, "cannot be reached")
    assert page.button(key="look_in_archive").label == "Look in the archive again"


def test_an_earlier_film_is_fetched_and_can_be_compared(
    app: AppTest,
    worklist: Worklist,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    earlier = dicom_bytes(radiograph_dataset(StudyDate="20250301"))
    other = dicom_bytes(radiograph_dataset(StudyDate="20250302", PatientBirthDate="20230502"))
    with running(tmp_path_factory.mktemp("orthanc")) as orthanc:
        for data in (earlier, other):
            orthanc.post("/instances", data)
        address = f"{orthanc.title}@127.0.0.1:{orthanc.dicom_port}"
        monkeypatch.setenv("CXR_FILMS_FROM", address)
        entry_id = score_film(Settings.read(), worklist, dicom_bytes())
        page = film_page(app, entry_id)
        page.button(key="look_in_archive").click().run()
        run_until(page, "being scored")
        (waiting,) = worklist.next_received()
        assert waiting.source == address
        score_film(Settings.read(), worklist, waiting.path.read_bytes())  # as the engine does
        run_until(page, "Look in the archive again")
    assert "1 earlier film fetched" in page_text(page)
    assert [each.label for each in page.button if each.key == "earlier"] == [
        "Compare with an earlier film"
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_cancel_is_seen_while_the_archive_keeps_the_search_waiting(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("CXR_FILMS_FROM", f"SILENT@127.0.0.1:{silent.getsockname()[1]}")
        page = film_page(app, score_film(Settings.read(), worklist, dicom_bytes()))
        page.button(key="look_in_archive").click().run()
        run_until(page, "Looking in the archive")
        monkeypatch.setattr(ArchiveLookup, "_end", lambda *_: None)  # not yet ended
        page.button(key="cancel_lookup").click().run()
        assert "Being cancelled" in page_text(page)
        assert page.button(key="cancel_lookup").disabled
