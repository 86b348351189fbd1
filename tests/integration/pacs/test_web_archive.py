"""Results into an archive by STOW-RS: what its answer names as stored counts, and nothing else."""

import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import ArchiveError
from cxr_app.pacs import sender, web_connection
from cxr_app.pacs.destinations import archive_at, check_destination
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.certificates import certificate
from tests.support.factories import dicom_bytes
from tests.support.results import result_object
from tests.support.scored_films import score_film
from tests.support.web_archives import dripping_archive, web_archive

REPORT = result_object(ResultKind.REPORT, dicom_bytes())
UID = str(REPORT.SOPInstanceUID)
REASON, WARNING = "00081197", "00081196"


def named(tag: str, instance: str, **codes: int) -> dict[str, Any]:
    """Return an answer that names one instance."""
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [instance]}}
    item |= {name: {"vr": "US", "Value": [code]} for name, code in codes.items()}
    return {tag: {"vr": "SQ", "Value": [item]}}


STORED = named("00081199", UID)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def worklist(site: Settings) -> Iterator[Worklist]:
    opened = Worklist.open(site.worklist_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("status", "content", "remark"),
    [
        (200, STORED, ""),
        (202, STORED, ""),
        (409, STORED, ""),
        (202, named("00081199", UID, **{WARNING: 0xB000}), "stored with a warning (0xB000)"),
        (409, named("00081198", UID, **{REASON: 0x0111}), "the archive had it already"),
    ],
)
def test_what_the_answer_names_as_stored_is_stored(
    status: int, content: dict[str, Any], remark: str
) -> None:
    with (
        web_archive(lambda _: (status, content)) as url,
        archive_at(Destination.parse(url), Settings()) as archive,
    ):
        assert archive.store(REPORT) == remark


@pytest.mark.parametrize(
    ("status", "content", "why"),
    [
        (200, {}, "does not say that it stored"),
        (200, named("00081199", "1.2.3"), "does not say that it stored"),
        (200, named("00081198", UID, **{REASON: 0x0110}), "reason 0x0110"),
        (409, named("00081198", UID, **{REASON: 0xA700}), "reason 0xA700"),
        (409, named("00081198", UID), "reason unknown"),
        (400, {}, "HTTP 400"),
        (429, {}, "HTTP 429"),
        (503, {}, "in trouble"),
        (302, {}, "Name that one"),
        (401, {}, "CXR_RESULTS_LOGINS"),
        (403, {}, "CXR_RESULTS_LOGINS"),
    ],
)
def test_what_it_does_not_name_is_not(status: int, content: dict[str, Any], why: str) -> None:
    with (
        web_archive(lambda _: (status, content)) as url,
        archive_at(Destination.parse(url), Settings()) as archive,
        pytest.raises(ArchiveError, match=why),
    ):
        archive.store(REPORT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["00081199", "00081198", "00081155", "vr", "Value"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=40)
@given(json_values, st.sampled_from([200, 202, 204, 400, 409, 500]))
def test_an_answer_of_any_other_form_is_no_success(content: Any, status: int) -> None:
    with (
        web_archive(lambda _: (status, content)) as url,
        archive_at(Destination.parse(url), Settings()) as archive,
        pytest.raises(ArchiveError),
    ):
        archive.store(REPORT)


@pytest.mark.parametrize("login", ["s3cret", "scribe:pass:word"])
def test_the_login_of_its_host_is_sent_and_of_no_other(login: str) -> None:
    asked = "Bearer s3cret" if login == "s3cret" else "Basic c2NyaWJlOnBhc3M6d29yZA=="
    with web_archive(lambda _: (200, STORED), login=asked) as url:
        destination = Destination.parse(url)
        host = url.split("/")[2]
        known = Settings(results_logins=f"other=abc {host}={login}")
        check_destination(destination, known)
        with archive_at(destination, known) as archive:
            assert archive.store(REPORT) == ""
        for others in ("", f"127.0.0.1={login}", f"{host}x={login}"):
            with pytest.raises(ArchiveError, match="CXR_RESULTS_LOGINS"):
                check_destination(destination, Settings(results_logins=others))


def test_only_a_certificate_that_the_system_trusts_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path)
    with web_archive(lambda _: (200, STORED), certificate=files) as url:
        destination = Destination.parse(url)
        with pytest.raises(ArchiveError, match="its certificate"):
            check_destination(destination, Settings())
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        check_destination(destination, Settings())


@pytest.mark.parametrize("is_secret", [False, True])
@pytest.mark.parametrize("part", ["status", "header", "body"])
def test_an_answer_that_never_ends_is_not_waited_for(
    part: str, is_secret: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    monkeypatch.setattr(web_connection, "EXCHANGE_SECONDS", 1.0)
    with dripping_archive("POST", part, files if is_secret else None) as url:
        begun = time.monotonic()
        with (
            archive_at(Destination.parse(url), Settings()) as archive,
            pytest.raises(ArchiveError, match="did not answer in time"),
        ):
            archive.store(REPORT)
        assert not archive.is_open
    with (
        dripping_archive("GET", part, files if is_secret else None) as url,
        pytest.raises(ArchiveError, match="did not answer in time"),
    ):
        check_destination(Destination.parse(url), Settings())
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("search_status", [403, 405, 501])
def test_an_archive_that_only_takes_objects_is_sent_them(search_status: int) -> None:
    with web_archive(lambda _: (200, STORED), search_status=search_status) as url:
        check_destination(Destination.parse(url), Settings())
        with archive_at(Destination.parse(url), Settings()) as archive:
            assert archive.store(REPORT) == ""


def test_a_wrong_path_is_told_by_the_echo() -> None:
    with (
        web_archive(lambda _: (404, {}), search_status=404) as url,
        pytest.raises(ArchiveError, match="path"),
    ):
        check_destination(Destination.parse(url), Settings())


def test_a_server_that_is_gone_leaves_the_results_waiting(
    site: Settings, worklist: Worklist
) -> None:
    with web_archive(lambda _: (200, {})) as url:
        destination = Destination.parse(url)
    sender = Sender(site, worklist, destination)
    score_film(site, worklist, dicom_bytes())
    assert not sender.send_once()
    assert {each.state for each in worklist.outbox.newest()} == {OutgoingState.WAITING}
    (archive,) = worklist.outbox.archives()
    assert archive.name == url
    assert "cannot be reached" in archive.problem


def test_each_object_is_sent_once_however_often_the_sender_looks(
    site: Settings, worklist: Worklist
) -> None:
    bodies: list[bytes] = []

    def keep(body: str) -> tuple[int, Any]:
        bodies.append(body.encode("latin-1"))
        sent = dcmread(BytesIO(bodies[-1].split(b"\r\n\r\n", 1)[1]), stop_before_pixels=True)
        return 200, named("00081199", str(sent.SOPInstanceUID))

    with web_archive(keep) as url:
        sender = Sender(site, worklist, Destination.parse(url))
        score_film(site, worklist, dicom_bytes())
        assert [sender.send_once() for _ in range(3)] == [True, False, False]
    assert len(bodies) == 2
    assert [each.state for each in worklist.outbox.newest()] == [OutgoingState.SENT] * 2


def test_the_objects_of_a_film_take_no_longer_than_their_claim(
    site: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()

    def dawdle(_: str) -> tuple[int, Any]:
        stop.set()
        time.sleep(0.5)
        return 202, {}

    monkeypatch.setattr(sender, "FILM_SECONDS", 0.4)
    with web_archive(dawdle) as url:
        slow = Sender(site, worklist, Destination.parse(url))
        score_film(site, worklist, dicom_bytes())
        slow.send_once(stop)
    untried, refused = sorted(worklist.outbox.newest(), key=lambda each: each.tries)
    assert (untried.tries, untried.claim, refused.tries) == (0, "", 1)
