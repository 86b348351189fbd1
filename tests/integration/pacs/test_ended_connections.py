"""What a peer does wrong is one line of the log, with its address and the reason."""

import random
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.peers import ReceiverUnderTest, need, receiving

REQUEST = (
    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
    *("-subj", "/CN=localhost"),
)
WAIT_SECONDS = 30
RESET = struct.pack("ii", 1, 0)
"""Value of SO_LINGER by which closing a socket resets the connection (socket(7))."""
NAME = b"Quuxlove"
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverUnderTest]:
    with receiving(tmp_path_factory.mktemp("plain") / "data") as receiver:
        yield receiver


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("openssl")
    folder = tmp_path_factory.mktemp("keys")
    for name in ("receiver", "sender", "stranger"):
        pair = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
        subprocess.run([*REQUEST, *pair], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[ReceiverUnderTest]:
    settings = {
        "dicom_certificate": str(keys / "receiver.crt"),
        "dicom_key": str(keys / "receiver.key"),
        "dicom_client_authority": str(keys / "sender.crt"),
    }
    with receiving(tmp_path_factory.mktemp("secure") / "data", **settings) as receiver:
        yield receiver


class Lines:
    """What a receiver logs from now on."""

    def __init__(self, receiver: ReceiverUnderTest) -> None:
        self._receiver = receiver
        self._begin = len(receiver.log.read_text())

    def all(self) -> list[str]:
        lines = self._receiver.log.read_text()[self._begin :].splitlines()
        return [line for line in lines if "Receiving films as CXR" not in line]

    def only(self) -> str:
        """Return the only line, once it is there and no other follows."""
        deadline = monotonic() + WAIT_SECONDS
        while not self.all():
            assert monotonic() < deadline
            sleep(0.05)
        sleep(0.5)
        (line,) = self.all()
        return line


def say(port: int, data: bytes, *, resets: bool = False) -> None:
    """Send bytes and close, as a scanner of ports does."""
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(data)
        sleep(0.2)
        if resets:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def request(calling: bytes = b"TEST", called: bytes = b"CXR", version: int = 1) -> bytes:
    """Return an A-ASSOCIATE-RQ (PS3.8 9.3.2) for C-ECHO."""

    def item(kind: int, content: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(content)) + content

    syntaxes = item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
    user = item(0x51, struct.pack(">L", 16_384)) + item(0x52, b"1.2.3")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, b"\1\0\0\0" + syntaxes)
    head = struct.pack(">H2x16s16s32x", version, called.ljust(16), calling.ljust(16))
    content = head + items + item(0x50, user)
    return struct.pack(">BxL", 1, len(content)) + content


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (request("\u00c4\u00d6".encode()), "Its AE title is none: an AE title has at least"),
        (request(b"A\\B"), "Its AE title is none: an AE title has at least"),
        (request(b" "), "Its AE title is none: an AE title has at least"),
        (request(called="\u00c4\u00d6".encode()), "The AE title that it calls is none"),
        (request(version=2), "It speaks another version"),
        (b"GET /Quuxlove HTTP/1.0\r\n\r\n", "It does not speak DICOM."),
        (CLIENT_HELLO, "It speaks TLS, and CXR_DICOM_CERTIFICATE is not set."),
        (request()[:60], "It closed the connection within a message."),
        (b"\1\0\0\0\0\x08" + NAME, "Its AE title is none: an AE title has at least"),
    ],
    ids=range(9),
)
def test_what_is_no_request_is_one_line(plain: ReceiverUnderTest, data: bytes, reason: str) -> None:
    lines = Lines(plain)
    say(plain.port, data)
    line = lines.only()
    assert f"Connection from 127.0.0.1 ended: {reason}" in line
    assert NAME.decode() not in line
    assert plain.echo() == 0


@pytest.mark.parametrize("data", [b"", request()[:60]])
def test_a_connection_that_is_reset_is_one_line(plain: ReceiverUnderTest, data: bytes) -> None:
    lines = Lines(plain)
    say(plain.port, data, resets=True)
    assert "Connection from 127.0.0.1 ended: Connection reset by peer." in lines.only()


def test_a_title_that_is_none_is_one_line_for_dcmtk(plain: ReceiverUnderTest) -> None:
    need("echoscu")
    lines = Lines(plain)
    plain.send("echoscu", "-aet", "\u00c4\u00d6")
    assert "127.0.0.1 ended: Its AE title is none" in lines.only()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "It does not speak TLS."),
        (("+tla", "+cf", "receiver.crt"), "It shows no certificate, and CXR_DICOM_CLIENT_AUTH"),
        (
            ("+tls", "stranger.key", "stranger.crt", "+cf", "receiver.crt"),
            "Its certificate is not accepted: self-signed certificate.",
        ),
        (
            ("+tls", "sender.key", "sender.crt", "+cf", "stranger.crt"),
            "It does not trust this receiver's certificate.",
        ),
    ],
    ids=range(4),
)
def test_tls_that_is_refused_is_one_line(
    secure: ReceiverUnderTest, keys: Path, options: tuple[str, ...], reason: str
) -> None:
    need("echoscu")
    lines = Lines(secure)
    named = [str(keys / each) if "." in each else each for each in options]
    secure.send("echoscu", *named)
    assert f"Connection from 127.0.0.1 ended: {reason}" in lines.only()


def test_a_browser_at_a_tls_port_is_one_line(secure: ReceiverUnderTest) -> None:
    lines = Lines(secure)
    say(secure.port, b"GET / HTTP/1.0\r\n\r\n")
    assert "Connection from 127.0.0.1 ended: It does not speak TLS." in lines.only()


def test_whatever_is_sent_is_at_most_one_line_and_keeps_no_place(tmp_path: Path) -> None:
    """Requests with bytes changed at random: more of them than places for associations."""
    chance = random.Random(20_261_130)  # noqa: S311
    with receiving(tmp_path / "data") as receiver:
        for number in range(200):
            damaged = bytearray(request())
            for _ in range(chance.choice([1, 3, 30])):
                damaged[chance.randrange(6, len(damaged))] = chance.randrange(256)
            lines = Lines(receiver)
            with socket.create_connection(("127.0.0.1", receiver.port)) as caller:
                caller.sendall(damaged)
                caller.shutdown(socket.SHUT_WR)
                caller.settimeout(WAIT_SECONDS)
                while caller.recv(4096):
                    pass
            found = lines.all()
            assert len(found) <= 1, (number, found)
            assert all(re.search(r"127\.0\.0\.1", line) for line in found), (number, found)
        assert receiver.echo() == 0
