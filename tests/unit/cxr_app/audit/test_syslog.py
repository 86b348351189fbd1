"""The audit as messages of DICOM, and their way to a syslog server over TLS."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydicom.sr._concepts_dict import concepts

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome, AuditRecord
from cxr_app.audit.message import CODES, as_json, as_syslog, as_xml
from cxr_app.audit.store import AuditStore
from cxr_app.audit.syslog import SyslogSender, check_syslog_server
from cxr_app.audit_settings import AuditSettings
from cxr_app.errors import AuditError, SettingsError
from tests.support.certificates import certificate

NOON = datetime(2026, 10, 7, 12, tzinfo=UTC)


def record(**facts: object) -> AuditRecord:
    made = AuditEvent(NOON, AuditKind.FILM_SHOWN, "Weiß", "10.1.2.3", **facts)  # type: ignore[arg-type]
    return AuditRecord(7, made, "a" * 64)


def test_the_codes_are_those_of_the_standard() -> None:
    known_to_pydicom: dict[str, dict[str, dict[str, tuple[str, object]]]] = concepts  # type: ignore[assignment]
    known = {
        code: meaning
        for codes in known_to_pydicom["DCM"].values()
        for code, (meaning, _contexts) in codes.items()
    }
    for event_id, event_type, _ in CODES.values():
        for code, meaning in filter(None, (event_id, event_type)):
            assert known[code].casefold() == meaning.casefold()
    assert set(CODES) == set(AuditKind)


def test_an_audit_message_names_who_what_from_where_and_how_it_ended() -> None:
    sent = record(film="f", patient="m", detail="a\x00b", outcome=AuditOutcome.REFUSED)
    message = ET.fromstring(as_xml(sent, "triage"))  # noqa: S314 - our own
    assert [each.tag for each in message] == [
        "EventIdentification",
        "ActiveParticipant",
        "AuditSourceIdentification",
        *["ParticipantObjectIdentification"] * 3,
    ]
    identification, person, source, patient, film, chain = message
    assert identification.attrib == {
        "EventActionCode": "R",
        "EventDateTime": "2026-10-07T12:00:00.000000+00:00",
        "EventOutcomeIndicator": "4",
    }
    assert identification[0].attrib["csd-code"] == "110103"
    assert person.attrib["UserID"] == "Weiß"
    assert person.attrib["NetworkAccessPointID"] == "10.1.2.3"
    assert source.attrib["AuditSourceID"] == "triage"
    assert patient.attrib["ParticipantObjectID"] == "keyed:m"
    assert film.attrib["ParticipantObjectID"] == "films/f"
    details = {each.get("type"): base64.b64decode(each.get("value", "")) for each in chain[1:]}
    assert details == {"digest": b"a" * 64, "detail": "a\ufffdb".encode()}


def test_a_line_of_json_has_every_fact() -> None:
    line = json.loads(as_json(record(detail="two\nlines")))
    assert line["number"] == 7
    assert line["detail"] == "two\nlines"
    assert line["happened_at"].startswith("2026-10-07T12")


def test_a_frame_says_its_length() -> None:
    length, _, rest = as_syslog(record(), "triage").partition(b" ")
    assert int(length) == len(rest)
    assert rest.startswith(b"<109>1 2026-10-07T12:00:00.000000+00:00 triage cxr-triage - ")
    assert b" DICOM+RFC3881 - \xef\xbb\xbf<AuditMessage>" in rest


class SyslogServer:
    """A real server of syslog over TLS; `resets` is how many connections it breaks first."""

    def __init__(self, folder: Path, resets: int = 0) -> None:
        self.certificate = certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        self._listening = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), True)
        self.port = self._listening.getsockname()[1]
        self.received: list[bytes] = []
        self._resets = resets
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            with connection:
                if self._resets:
                    self._resets -= 1
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    continue
                content = b""
                while chunk := connection.recv(65536):
                    content += chunk
                self.received.append(content)
                connection.unwrap()

    def frames(self) -> list[bytes]:
        found = []
        for content in self.received:
            rest = content
            while rest:
                length, _, rest = rest.partition(b" ")
                found.append(rest[: int(length)])
                rest = rest[int(length) :]
        return found

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SyslogServer]:
    made = SyslogServer(tmp_path, resets=1)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> AuditStore:
    made = AuditStore(tmp_path / "audit")
    made.append([record(detail=str(number)).event for number in range(2500)])
    return made


def test_every_event_arrives_in_order_although_the_server_was_away(
    server: SyslogServer, store: AuditStore
) -> None:
    settings = AuditSettings(
        audit_syslog=f"127.0.0.1:{server.port}", audit_syslog_authority=server.certificate[0]
    )
    sender = SyslogSender(store, settings)
    away = SyslogSender(store, settings.model_copy(update={"audit_syslog": "127.0.0.1:1"}))
    with pytest.raises(AuditError, match="Events wait on the disk"):
        away.send_batch()
    with pytest.raises(AuditError):
        sender.send_batch()  # the server breaks the connection
    assert sender.waiting() == 2500
    while sender.send_batch():
        pass
    assert sender.waiting() == 0
    numbers = [int(frame.partition(b"audit/")[2].partition(b'"')[0]) for frame in server.frames()]
    assert numbers == list(range(1, 2501))
    assert SyslogSender(store, settings).waiting() == 0, "what was sent is remembered"


def test_a_server_without_a_trusted_certificate_gets_nothing(
    server: SyslogServer, store: AuditStore
) -> None:
    sender = SyslogSender(store, AuditSettings(audit_syslog=f"127.0.0.1:{server.port}"))
    with pytest.raises(AuditError, match="does not take the audit"):
        sender.send_batch()
    assert not server.frames()


@pytest.mark.parametrize("name", ["audit_syslog_authority", "audit_syslog_certificate"])
def test_certificates_without_a_server_are_refused(tmp_path: Path, name: str) -> None:
    named = {name: tmp_path / "named.pem"}
    with pytest.raises(SettingsError, match=f"CXR_{name.upper()} is set and CXR_AUDIT_SYSLOG is"):
        check_syslog_server(AuditSettings(**named))  # type: ignore[arg-type]
    check_syslog_server(AuditSettings(**named, audit_syslog="log.example"))  # type: ignore[arg-type]
    check_syslog_server(AuditSettings())
