"""The units of systemd are sound and name what is there; the sample proxy proxies."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cxr_app import admin
from cxr_app.settings import PROJECT, Settings
from tests.support.certificates import certificate

UNITS = sorted((PROJECT / "deploy").glob("*.service")) + sorted(
    (PROJECT / "deploy").glob("*.timer")
)
HOME = "/opt/chest-film-triage"


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for path in UNITS:  # at a place that is there
        text = path.read_text().replace(f"{HOME}/.venv/bin/python", "/usr/bin/env")
        (tmp_path / path.name).write_text(text.replace(HOME, str(PROJECT)))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if "chest-film-triage" in line]
    assert not ours


def test_the_units_set_what_the_program_reads_and_start_what_is_there() -> None:
    text = "".join(unit.read_text() for unit in UNITS)
    named = {name.lower() for name in re.findall(r"Environment=CXR_(\w+)=", text)}
    assert named <= set(Settings.model_fields)
    assert (PROJECT / "app.py").is_file()
    for command in re.findall(r"-m cxr_app.admin (\w+)", text):
        options = admin._parser().parse_args([command, "folder"])
        assert options.command == command


LARGEST = 4
"""Megabytes of a request that the samples take here; they say 256, as Streamlit does."""


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that arrived; after an upgrade, with what arrives."""

    def do_GET(self) -> None:
        if self.headers["Upgrade"] == "websocket":
            self.protocol_version = "HTTP/1.1"
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "websocket")
            self.end_headers()
            self.wfile.write(self.rfile.read(4))
            self.close_connection = True
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Proxy:
    """A sample that runs: its port, and the certificate that it shows."""

    port: int
    certificate: Path

    def connect(self) -> ssl.SSLSocket:
        """Return a connection, as soon as the proxy listens."""
        context = ssl.create_default_context(cafile=self.certificate)
        deadline = time.monotonic() + 30
        while True:
            try:
                plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                return context.wrap_socket(plain, server_hostname="localhost")
            except ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.2)

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, str]:
        """Return status and text of an answer."""
        self.connect().close()
        context = ssl.create_default_context(cafile=self.certificate)
        connection = HTTPSConnection("localhost", self.port, context=context, timeout=60)
        with closing(connection):
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


def changed(name: str, changes: dict[str, str]) -> str:
    """Return a sample with names and places of this test."""
    sample = (PROJECT / "deploy" / name).read_text()
    for text, here in changes.items():
        assert text in sample
        sample = sample.replace(text, here)
    return sample


def nginx(folder: Path, port: int, changes: dict[str, str]) -> list[str]:
    size = {"client_max_body_size 256m": f"client_max_body_size {LARGEST}m"}
    listen = {"listen 443": f"listen 127.0.0.1:{port}"}
    sample = changed("nginx.conf", {**listen, **size, **changes})
    folders = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # whose folder this is
    whole = f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
    (folder / "nginx.conf").write_text(f"{whole}http {{ access_log off; {folders}\n{sample}\n}}")
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def caddy(folder: Path, port: int, changes: dict[str, str]) -> list[str]:
    name = "https://triage.hospital.example {"
    here = f"https://localhost:{port} {{\n\tbind 127.0.0.1"
    size = {"max_size 256MB": f"max_size {LARGEST}MB"}
    (folder / "Caddyfile").write_text(changed("Caddyfile", {name: here, **size, **changes}))
    place = f"XDG_DATA_HOME={folder}", f"XDG_CONFIG_HOME={folder}"
    return ["env", *place, "caddy", "run", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    """A sample before a server that echoes."""
    name = request.param.__name__
    if shutil.which(name) is None:
        packages = {"nginx": "nginx-light", "caddy": "caddy"}
        pytest.skip(f"{name} is not installed; `apt-get install {packages[name]}` brings it")
    crt, key = certificate(tmp_path)
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changes = {
        "127.0.0.1:8501": f"127.0.0.1:{behind.server_port}",
        "/etc/ssl/triage/triage.crt": str(crt),
        "/etc/ssl/triage/triage.key": str(key),
    }
    command = request.param(tmp_path, port, changes)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            yield Proxy(port, crt)
        finally:
            running.terminate()
            behind.shutdown()
            behind.server_close()


def test_the_sample_proxy_passes_no_name_from_outside(proxy: Proxy) -> None:
    forged = {
        "X-Forwarded-User": "Weiss",
        "x-forwarded-groups": "auditors",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "ftp",
    }
    status, arrived = proxy.ask("GET", "/", forged)
    assert status == 200
    assert not [word for word in ("Weiss", "auditors", "192.0.2.7", "ftp") if word in arrived]
    assert re.search(r"X-Forwarded-For: 127\.0\.0\.1", arrived)
    assert re.search(r"X-Forwarded-Proto: https", arrived)
    assert re.search(r"Host: localhost", arrived)


@pytest.mark.parametrize("path", ["/metrics", "/metrics?a=1", "/%6Detrics", "//metrics"])
def test_the_sample_proxy_hides_the_figures(proxy: Proxy, path: str) -> None:
    assert proxy.ask("GET", path, {})[0] == 404


def test_the_sample_proxy_passes_a_websocket(proxy: Proxy) -> None:
    request = b"GET /_stcore/stream HTTP/1.1\r\nHost: localhost\r\n"
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with proxy.connect() as connection:
        connection.sendall(request + upgrade + key)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101")
        connection.sendall(b"film")
        while not answer.endswith(b"film") and (more := connection.recv(4096)):
            answer += more
    assert answer.endswith(b"film")


def test_both_samples_take_what_streamlit_takes() -> None:
    streamlit = (PROJECT / ".streamlit" / "config.toml").read_text()
    assert "maxUploadSize = 256" in streamlit


def test_the_sample_proxy_takes_large_films_and_no_larger_ones(proxy: Proxy) -> None:
    def upload(megabytes: int) -> int:
        try:
            return proxy.ask("POST", "/", {}, b"0" * (megabytes * 2**20))[0]
        except (ConnectionError, ssl.SSLError):
            return 413  # it has stopped to read

    assert upload(LARGEST - 1) == 200
    assert upload(LARGEST + 1) in {413, 502}  # Caddy notices only as it passes the rest on
