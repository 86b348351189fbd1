"""Films searched for and fetched by DICOMweb: from Orthanc, and from servers with bad habits."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError, FilmNotSentError
from cxr_app.imaging.film_identity import film_identity
from cxr_app.pacs import web_film_archive
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_query import FilmQuery
from cxr_app.pacs.film_sources import check_film_source, film_source
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from tests.integration.pacs.test_receiver import COMPRESSED, NATIVE
from tests.support.factories import compressed_dicom_bytes, dicom_bytes, radiograph_dataset
from tests.support.orthanc import running
from tests.support.web_archives import dripping_archive

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
LOGIN = ("scribe", "pass:word")
DAY = FilmQuery.parse("StudyDate=20260101-20260110")
FILM = ArchivedFilm("2.25.1", "2.25.2", "2.25.3", "", Header())
FILE = dicom_bytes()
SHARED: dict[str, Any] = {"SOPInstanceUID": "2.25.4"}
STUDIES = 45
Answer = tuple[int, str, bytes]


@contextmanager
def server_of(answers: list[Answer]) -> Iterator[Destination]:
    """Run a server that answers its first search with ``[]``, then as told, the last for ever."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            first = (200, "application/dicom+json", b"[]")
            status, kind, body = ([first, *answers][: len(asked)])[-1]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Destination.parse(f"http://127.0.0.1:{server.server_port}/dicom-web")
    finally:
        server.shutdown()
        server.server_close()


def test_orthanc_sends_what_it_has_in_every_transfer_syntax_to_who_may(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if not PLUGIN.exists():
        pytest.skip("Orthanc's plug-in is not installed: apt-get install orthanc-dicomweb")
    changes = {
        "Plugins": [str(PLUGIN)],
        "AuthenticationEnabled": True,
        "RegisteredUsers": dict([LOGIN]),
    }
    films = [dicom_bytes(None, syntax) for syntax in NATIVE]
    films += [compressed_dicom_bytes(radiograph_dataset(), syntax) for syntax in COMPRESSED]
    with running(tmp_path_factory.mktemp("orthanc"), login=LOGIN, **changes) as orthanc:
        for film in films:
            orthanc.post("/instances", film)
        place = f"127.0.0.1:{orthanc.http_port}"
        target = Destination.parse(f"http://{place}/dicom-web")
        settings = Settings(results_logins=f"{place}={':'.join(LOGIN)}")
        check_film_source(target, settings)
        with film_source(target, settings) as archive:
            fetched = [archive.fetch(film) for film in archive.films(DAY)]
        for _ in range(2):  # it sends neither, though each is named by its series
            orthanc.post("/instances", dicom_bytes(radiograph_dataset(**SHARED)))
        with film_source(target, settings) as archive:
            both = [each for each in archive.films(DAY) if each.sop_instance_uid in SHARED.values()]
            assert len(both) == 2
            for one in both:
                with pytest.raises(FilmNotSentError, match="several films with its SOP Instance"):
                    archive.fetch(one)
        with pytest.raises(ArchiveError, match=r"does not accept the login \(HTTP 401\)"):
            check_film_source(target, Settings())
    sent, kept = ({str(film_identity(each)) for each in all_} for all_ in (films, fetched))
    assert sent == kept


def multipart(*parts: bytes) -> bytes:
    heads = (b"--b\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts)
    return b"".join(heads) + b"--b--\r\n"


RELATED = 'multipart/related; type="application/dicom"; boundary=b'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (RELATED, multipart(FILE)),
        (RELATED, multipart(FILE, FILE)),
        ("application/dicom", FILE),
    ],
    ids=["one part", "two parts", "no parts"],
)
def test_a_film_is_taken_from_the_answer_as_it_is(kind: str, body: bytes) -> None:
    with server_of([(200, kind, body)]) as target, film_source(target, Settings()) as archive:
        assert archive.fetch(FILM) == FILE


@pytest.mark.parametrize("part", ["status", "header", "body"])
def test_a_film_that_never_ends_is_not_waited_for(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is what has come of it taken for a film."""
    monkeypatch.setattr(web_film_archive, "FETCH_SECONDS", 1.0)
    with (
        dripping_archive("/instances/", part) as url,
        film_source(Destination.parse(url), Settings()) as archive,
        pytest.raises(ArchiveError, match="did not answer in time"),
    ):
        archive.fetch(FILM)


@pytest.mark.parametrize(
    ("kind", "body"), [(RELATED, multipart(FILE)), ("application/dicom", FILE)]
)
def test_a_film_that_is_too_large_is_not_taken(
    kind: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_film_archive, "MAX_FILE_BYTES", len(FILE) - 1)
    with (
        server_of([(200, kind, body)]) as target,
        film_source(target, Settings()) as archive,
        pytest.raises(FilmNotSentError, match="it sent no DICOM file"),
    ):
        archive.fetch(FILM)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, "", b""), r"it has deleted it, or has several .* \(HTTP 404\)"),
        ((406, "", b""), r"cannot send it as it is stored \(HTTP 406\)"),
        ((400, "", b""), r"it failed \(HTTP 400\)"),
        ((200, "text/html", b"<p>Hello"), "it sent no DICOM file"),
        ((200, RELATED, b"nothing"), "it sent no DICOM file"),
        ((200, RELATED, multipart(FILE)[:-40]), "it sent no DICOM file"),
        ((204, "", b""), "it sent no DICOM file"),
    ],
    ids=["gone", "syntax", "failed", "page", "garbled", "cut", "empty"],
)
def test_a_film_that_does_not_come_is_said(answer: Answer, words: str) -> None:
    with (
        server_of([answer]) as target,
        film_source(target, Settings()) as archive,
        pytest.raises(FilmNotSentError, match=words),
    ):
        archive.fetch(FILM)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, "", b""), r"is in trouble \(HTTP 503\)"),
        ((403, "", b""), "does not accept the login"),
        ((302, "", b""), "another address"),
        ((404, "", b""), "Check the path"),
        ((200, "text/html", b"<p>Hello"), r"no application/dicom\+json"),
        ((200, "application/dicom+json", b"{}"), r"no application/dicom\+json"),
        ((200, "application/dicom+json", b"[7]"), r"no application/dicom\+json"),
        ((200, "application/dicom+json", b'[{"0020000D": {"vr": "UI"}}]'), "valid UID"),
    ],
    ids=["trouble", "login", "moved", "path", "page", "object", "number", "no uid"],
)
def test_a_search_that_fails_is_no_search_without_result(answer: Answer, words: str) -> None:
    with (
        server_of([answer]) as target,
        film_source(target, Settings()) as archive,
        pytest.raises(ArchiveError, match=words),
    ):
        list(archive.films(DAY))


@pytest.mark.parametrize("uid", ["", "../../users", "2.25.1/../7", "2.25.1?a=b", "9" * 65, "٣"])
def test_no_answer_leads_to_another_address(uid: str) -> None:
    study = [{"0020000D": {"vr": "UI", "Value": [uid]}, "00080020": {"vr": "DA"}}]
    body = json.dumps(study).encode()
    with server_of([(200, "application/dicom+json", body)]) as target:  # noqa: SIM117
        with film_source(target, Settings()) as archive, pytest.raises(ArchiveError):
            list(archive.films(FilmQuery.parse("StudyDate=20260101")))


@pytest.mark.parametrize(
    ("limit", "warning", "pages"),
    [(20, "", 3), (12, "", 4), (7, '299 archive "There are more results"', 7)],
    ids=["as asked", "cut without a word", "cut and said"],
)
def test_all_pages_are_read_however_few_answers_each_has(
    limit: int, warning: str, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_film_archive, "PAGE", 20)
    with studies_in_pages(limit, warning) as (target, asked):
        with film_source(target, Settings()) as archive:
            assert list(archive.films(FilmQuery.parse("PatientID=P-1"))) == []
        searches = [keys for keys in asked if "PatientID" in keys]
        assert len(searches) == pages
        assert len(asked) == 1 + pages + STUDIES, "the series of each study"


def test_a_server_without_pages_is_no_endless_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_film_archive, "PAGE", 20)
    with studies_in_pages(20, is_paged=False) as (target, asked):
        with film_source(target, Settings()) as archive:
            assert list(archive.films(FilmQuery.parse("PatientID=P-1"))) == []
        assert len([keys for keys in asked if "PatientID" in keys]) == 2
        assert len(asked) == 1 + 2 + 20


@contextmanager
def studies_in_pages(
    most: int, warning: str = "", *, is_paged: bool = True
) -> Iterator[tuple[Destination, list[dict[str, list[str]]]]]:
    """Run a server with some studies of one patient; yield it, and the keys of each request.

    Parameters
    ----------
    most
        Answers that it sends at a time, however many were asked for.
    warning
        Its header while it has more.
    is_paged
        Whether it knows ``offset``.
    """
    asked: list[dict[str, list[str]]] = []

    class Paged(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            keys = parse_qs(where.query)
            asked.append(keys)
            patient = {"00100020": {"vr": "LO", "Value": ["P-1"]}}
            uids = ({"vr": "UI", "Value": [f"2.25.{number}"]} for number in range(STUDIES))
            found = [patient | {"0020000D": uid} for uid in uids]
            first = int(keys.get("offset", ["0"])[0]) if is_paged else 0
            last = first + min(most, int(keys["limit"][0]))
            level = found[first:last] if where.path.endswith("/studies") else []
            body = json.dumps(level).encode()
            self.send_response(200)
            if warning and last < len(found):
                self.send_header("Warning", warning)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Paged)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Destination.parse(f"http://127.0.0.1:{server.server_port}/dicom-web"), asked
    finally:
        server.shutdown()
        server.server_close()
