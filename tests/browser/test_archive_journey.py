"""*Look in the archive*: an earlier film comes from a real Orthanc, and stands beside the film."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.orthanc import Orthanc, running
from tests.support.relay import Relay


class ServerWithArchive(ServerWithTinyModel):
    """A server whose earlier films are in an archive behind a port."""

    archive_port = 0

    def _environment(self) -> dict[str, str]:
        address = f"ORTHANC@127.0.0.1:{self.archive_port}"
        return super()._environment() | {"CXR_FILMS_FROM": address}


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def server(tmp_path: Path, relay: Relay) -> Iterator[ServerWithArchive]:
    """It starts in this network, before the test enters the archive's."""
    chosen = ServerWithArchive(tmp_path / "data", tmp_path / "output.txt")
    chosen.archive_port = relay.port
    with chosen as started:
        yield started


@pytest.fixture
def orthanc(
    server: ServerWithArchive, page: Page, relay: Relay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """Server and page are fixtures of its own, for they must be there before.

    The server is named first: it ends last, so that the page never asks one that is gone.
    """
    with (
        running(tmp_path_factory.mktemp("orthanc")) as archive,
        relay.lead_to(archive.dicom_port),
    ):
        yield archive


def test_an_earlier_film_is_fetched_while_the_reader_looks_on(
    server: ServerWithArchive, page: Page, orthanc: Orthanc
) -> None:
    pixels = film_pixels(320, 288)
    orthanc.post("/instances", dicom_bytes(radiograph_dataset(pixels, StudyDate="20250301")))
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    film = desk.enter(dicom_bytes(radiograph_dataset(pixels)), 0.9)
    expect.set_options(timeout=60_000)
    page.goto(f"{server.url}/film?film={film}")
    wait_idle(page, 60)
    page.get_by_role("button", name="Look in the archive").click()
    expect(page.get_by_role("button", name="Look in the archive again")).to_be_visible()
    expect(page.get_by_text("1 earlier film fetched")).to_be_visible()
    expect(page.get_by_role("button", name="Compare with an earlier film")).to_be_visible()
    desk.worklist.close()
