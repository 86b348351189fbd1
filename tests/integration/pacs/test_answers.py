"""Every answer of a peer reaches whoever asked, however late the association's thread gets to run.

On a busy machine the thread that asks may have sent its request before the association's thread,
which it has just woken, looks for requests of the peer. Both are held up here at that place.
"""

import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pydicom
import pytest
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider

from cxr_app.destination import Destination, ResultKind
from cxr_app.pacs.archive import Archive
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.film_query import FilmQuery
from tests.support.archives import Peer, holding, listening
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.results import result_object

HELD_SECONDS = 0.1
FILM = pydicom.dcmread(BytesIO(dicom_bytes(radiograph_dataset())))
QUERY = FilmQuery.parse("StudyDate=20260105")


@pytest.fixture(autouse=True)
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread of an association run late, and the one that asks still later."""

    def come(association: Any, is_paused: bool) -> None:
        if not is_paused and association.is_requestor:
            time.sleep(HELD_SECONDS)
        association.__dict__["_is_paused"] = is_paused

    def take(provider: Any, block: bool = False) -> Any:
        if block and provider.assoc.is_requestor:
            time.sleep(2 * HELD_SECONDS)
        return get_message(provider, block)

    get_message = DIMSEServiceProvider.get_msg
    state = property(lambda association: association.__dict__["_is_paused"], come)
    monkeypatch.setattr(Association, "_is_paused", state, raising=False)
    monkeypatch.setattr(DIMSEServiceProvider, "get_msg", take)


@pytest.fixture
def archive() -> Iterator[Destination]:
    with holding(FILM) as destination:
        yield destination


def searched(target: Destination) -> list[ArchivedFilm]:
    with FilmArchive(target, "CXR") as archive:
        return list(archive.films(QUERY))


def test_no_answer_to_a_search_is_lost(archive: Destination) -> None:
    uids = [film.sop_instance_uid for film in searched(archive)]
    assert uids == [FILM.SOPInstanceUID]


def test_films_are_fetched_one_after_the_other(archive: Destination) -> None:
    (film,) = searched(archive)
    with FilmArchive(archive, "CXR") as opened:
        assert all(opened.fetch(film) for _ in range(5))


def test_echoes_and_results_are_acknowledged_at_once() -> None:
    picture = result_object(ResultKind.PICTURE, dicom_bytes())
    with listening(Peer()) as peer:
        begun = time.monotonic()
        with Archive(peer.destination(ResultKind.PICTURE), "CXR") as opened:
            for _ in range(5):
                opened.echo()
                assert opened.store(picture) == ""
        assert time.monotonic() - begun < 15, "an answer was lost, and waited for to no end"
    assert len(peer.uids) == 5
