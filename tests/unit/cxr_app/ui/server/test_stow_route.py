"""STOW-RS: films in, DICOM JSON out; and nothing without the token."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import CTImageStorage
from starlette.applications import Starlette

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.errors import WorklistError
from cxr_app.imaging import dicom
from cxr_app.imaging.stated_identity import STATED_BYTES
from cxr_app.pacs import storing
from cxr_app.pacs.reception import Reception
from cxr_app.pacs.related_parts import RelatedPart, RelatedParts, boundary_of
from cxr_app.ui import resources
from cxr_app.ui.server import stow_route
from cxr_app.worklist import Query
from tests.support import asgi
from tests.support.asgi import Answer
from tests.support.audited import events
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.worklists import ReadyEngine

TYPE = 'multipart/related; type="application/dicom"; boundary=frontier'
TOKEN = {"Authorization": "Bearer secret"}
STORED, FAILED, REASON = "00081199", "00081198", "00081197"
CLASS, UID = "00081150", "00081155"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starlette]:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_DICOMWEB_TOKEN", "secret")
    monkeypatch.setattr(resources, "engine", ReadyEngine)
    yield Starlette(routes=stow_route.routes())
    resources._worklist.clear()


def noted(kind: AuditKind) -> list[AuditEvent]:
    """Return the events of a kind so far."""
    resources.audit().flush()
    return events(resources.settings().audit_folder, kind)


def body(*films: bytes) -> bytes:
    parts = (b"--frontier\r\nContent-Type: application/dicom\r\n\r\n" + film for film in films)
    return b"\r\n".join(parts) + b"\r\n--frontier--\r\n"


def post(client: Starlette, content: bytes, **headers: str) -> Answer:
    sent = {"Content-Type": TYPE} | TOKEN | headers
    return asgi.post(client, "/dicom-web/studies", content, sent)


def test_films_are_stored_and_named(client: Starlette) -> None:
    datasets = [radiograph_dataset() for _ in range(3)]
    answer = post(client, body(*map(dicom_bytes, datasets)))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert named(answer, STORED) == [str(ds.SOPInstanceUID) for ds in datasets]
    assert FAILED not in answer.json()
    worklist = resources.worklist()
    assert worklist.count(Query(state="all")) == 3
    (peer,) = worklist.peers.all()
    assert (peer.ae_title, peer.counts.films) == ("STOW-RS", 3)


@pytest.mark.parametrize(("good", "status"), [(1, 202), (0, 409)])
def test_a_film_at_fault_does_not_hold_up_the_others(
    client: Starlette, good: int, status: int
) -> None:
    films = [dicom_bytes(radiograph_dataset()) for _ in range(good)]
    answer = post(client, body(*films, dicom_bytes()[:-50], b"no DICOM"))
    assert answer.status == status
    failed = [item[REASON]["Value"][0] for item in answer.json()[FAILED]["Value"]]
    assert failed == [0xC001, 0xC000]
    assert resources.worklist().count(Query(state="all")) == good


def named(answer: Answer, outcome: str) -> list[str]:
    """Return the SOP Instance UIDs that an answer names as stored or failed."""
    return [item[UID]["Value"][0] for item in answer.json()[outcome]["Value"]]


def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorklistError("The database does not answer.")

    monkeypatch.setattr(Reception, "receive", refuse)


def at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reception, "receive", lambda *_: 1 // 0)


def at_fault_in_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "film_identity", lambda _: 1 // 0)


def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(storing, "film_identity", refuse)


def without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MIN_FREE_BYTES", 2**60)


def with_headers_of_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_READS", 10)


@pytest.mark.parametrize(
    ("hinder", "reason", "status"),
    [
        (without_database, 0xA700, 503),
        (without_memory, 0xA700, 503),
        (without_room, 0xA700, 503),
        (at_fault, 0x0110, 409),
        (at_fault_in_the_header, 0x0110, 409),
        (with_headers_of_few_elements, 0xC002, 409),
    ],
)
def test_a_film_that_cannot_be_kept_is_named(
    client: Starlette,
    monkeypatch: pytest.MonkeyPatch,
    hinder: Callable[[pytest.MonkeyPatch], None],
    reason: int,
    status: int,
) -> None:
    hinder(monkeypatch)
    ds = radiograph_dataset(PatientID="QX-1")
    answer = post(client, body(dicom_bytes(ds)))
    assert answer.status == status
    (item,) = answer.json()[FAILED]["Value"]
    assert item[CLASS]["Value"] == [str(ds.SOPClassUID)]
    assert item[UID]["Value"] == [str(ds.SOPInstanceUID)]
    assert item[REASON]["Value"] == [reason]
    (event,) = noted(AuditKind.RECEIVED)
    assert event.outcome is AuditOutcome.REFUSED
    assert event.patient == resources.audit().mark("QX-1")


PATIENT_AGE = b"\x10\x00\x10\x10"
ENDLESS_SEQUENCE = b"\x10\x00\x40\x10SQ\x00\x00\xff\xff\xff\xff"


def cut_short(ds: Dataset) -> bytes:
    return dicom_bytes(ds)[:-100]


def damaged_behind_the_patient(ds: Dataset) -> bytes:
    data = dicom_bytes(ds)
    return data[: data.index(PATIENT_AGE)] + ENDLESS_SEQUENCE


def of_a_class_without_films(ds: Dataset) -> bytes:
    ds.SOPClassUID = CTImageStorage
    return dicom_bytes(ds)


def named_by_its_meta_header_only(ds: Dataset) -> bytes:
    data = dicom_bytes(ds)
    place = data.rindex(str(ds.SOPInstanceUID).encode())
    return data[:place] + b"?" + data[place + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        cut_short,
        damaged_behind_the_patient,
        of_a_class_without_films,
        named_by_its_meta_header_only,
    ],
)
def test_among_others_a_film_that_is_refused_is_named(
    client: Starlette, spoil: Callable[[Dataset], bytes]
) -> None:
    good = [radiograph_dataset() for _ in range(2)]
    bad = radiograph_dataset(PatientID="QX-1")
    films = [dicom_bytes(good[0]), spoil(bad), dicom_bytes(good[1])]
    answer = post(client, body(*films))
    assert answer.status == 202
    assert named(answer, STORED) == [str(ds.SOPInstanceUID) for ds in good]
    assert named(answer, FAILED) == [str(bad.SOPInstanceUID)]
    (event,) = [each for each in noted(AuditKind.RECEIVED) if not each.film]
    assert event.patient == resources.audit().mark("QX-1")


def test_an_object_that_is_too_large_fails_by_itself(
    client: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stow_route, "MAX_FILE_BYTES", 100_000)
    good = [radiograph_dataset() for _ in range(2)]
    large = radiograph_dataset(film_pixels(400, 400), PatientID="QX-1")
    answer = post(client, body(*map(dicom_bytes, [good[0], large, good[1]])))
    assert answer.status == 202
    assert named(answer, STORED) == [str(ds.SOPInstanceUID) for ds in good]
    assert named(answer, FAILED) == [str(large.SOPInstanceUID)]
    assert answer.json()[FAILED]["Value"][0][REASON]["Value"] == [0xC002]
    (event,) = [each for each in noted(AuditKind.RECEIVED) if not each.film]
    assert event.patient == resources.audit().mark("QX-1")
    (peer,) = resources.worklist().peers.all()
    assert (peer.counts.films, peer.counts.refused) == (2, 1)
    assert "larger than any film" in peer.counts.refusal


@pytest.mark.parametrize("shown", ["", "Bearer wrong", "secret", "Basic secret", "Bearer sécret"])
def test_nothing_is_taken_without_the_token(client: Starlette, shown: str) -> None:
    answer = post(client, body(dicom_bytes()), Authorization=shown)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    (refused,) = noted(AuditKind.REFUSED)
    assert (refused.who, refused.address) == ("STOW-RS", "10.0.0.9")
    assert refused.outcome is AuditOutcome.REFUSED


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_of_the_token_may_be_written_in_any_case(client: Starlette, scheme: str) -> None:
    assert post(client, body(dicom_bytes()), Authorization=f"{scheme} secret").status == 200


def test_each_object_is_in_the_audit_with_its_patient(client: Starlette) -> None:
    post(client, body(dicom_bytes(radiograph_dataset(PatientID="QX-1")), b"no DICOM"))
    film, other = noted(AuditKind.RECEIVED)
    assert (film.who, film.address, film.detail) == ("STOW-RS", "10.0.0.9", "new")
    assert film.film
    assert film.patient == resources.audit().mark("QX-1")
    assert (other.outcome, other.film) == (AuditOutcome.REFUSED, "")


def test_nothing_is_taken_where_no_token_is_set(
    client: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXR_DICOMWEB_TOKEN")
    assert post(client, body(dicom_bytes()), Authorization="Bearer ").status == 404


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/dicom", 415),
        (b"", 'multipart/related; type="application/dicom+json"; boundary=x', 415),
        (b"", 'multipart/related; type="application/dicom"', 415),
        (b"", TYPE, 400),
        (b"no boundary at all", TYPE, 400),
        (body(dicom_bytes())[:-20], TYPE, 400),
    ],
)
def test_a_request_that_is_none_is_refused(
    client: Starlette, content: bytes, kind: str, status: int
) -> None:
    assert post(client, content, **{"Content-Type": kind}).status == status


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 64))
def test_parts_arrive_whole_however_the_body_is_cut(films: list[bytes], step: int) -> None:
    content = body(*films)
    parts, found = RelatedParts(b"frontier"), []
    for start in range(0, len(content), step):
        found += parts.take(content[start : start + step])
    assert [part.data for part in found] == films
    assert parts.is_ended


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    st.integers(1, 64),
    st.sampled_from(
        ["", "\r\n", "A preamble.\r\n", "-- two\r\n--front\r\n\r\n", "--frontiers\r\n"]
    ),
    st.sampled_from(["", " ", " \t "]),
    st.sampled_from(["", "\r\n", "\r\nAn epilogue.\r\n--frontier\r\n"]),
)
def test_what_surrounds_the_parts_is_ignored(
    films: list[bytes], step: int, preamble: str, padding: str, epilogue: str
) -> None:
    """RFC 2046 5.1.1: preamble, epilogue, and white space behind a boundary."""
    lines = body(*films).replace(b"--frontier\r\n", f"--frontier{padding}\r\n".encode())
    content = preamble.encode() + lines + epilogue.encode()
    parts, found = RelatedParts(b"frontier"), []
    for start in range(0, len(content), step):
        found += parts.take(content[start : start + step])
    assert [part.data for part in found] == films
    assert parts.is_ended


def test_a_preamble_is_not_kept() -> None:
    parts = RelatedParts(b"frontier")
    for _ in range(100):
        assert parts.take(bytes(10_000)) == []
    assert len(parts._head) < 10_000
    assert parts.take(b"\r\n" + body(b"film")) == [RelatedPart(b"film")]


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    st.integers(1, 64),
    st.integers(0, 300),
)
def test_only_a_part_that_is_too_large_is_left_out(
    films: list[bytes], step: int, limit: int
) -> None:
    content = body(*films)
    parts, found = RelatedParts(b"frontier", limit), []
    for start in range(0, len(content), step):
        found += parts.take(content[start : start + step])
    assert [part.is_too_large for part in found] == [len(film) > limit for film in films]
    assert [part.data for part in found if not part.is_too_large] == [
        film for film in films if len(film) <= limit
    ]
    assert parts.is_ended


def test_of_a_part_that_is_too_large_only_the_beginning_is_kept() -> None:
    parts, chunk = RelatedParts(b"frontier", 2 * STATED_BYTES), bytes(10_000)
    parts.take(b"--frontier\r\n\r\n")
    for _ in range(10 * STATED_BYTES // len(chunk)):
        assert parts.take(chunk) == []
        assert len(parts._part) <= 2 * STATED_BYTES
    assert parts.is_too_large
    (part,) = parts.take(b"\r\n--frontier--")
    assert part == RelatedPart(bytes(STATED_BYTES), is_too_large=True)


def test_a_request_with_a_preamble_is_taken(client: Starlette) -> None:
    preamble = b"This is a message with multiple parts in MIME format.\r\n"
    assert post(client, preamble + body(dicom_bytes())).status == 200


def test_a_boundary_may_be_quoted() -> None:
    kind = 'Multipart/Related; boundary="a b"; type=application/dicom'
    assert boundary_of(kind) == b"a b"
