"""The units of systemd are sound and name what is there; the sample proxy proxies."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
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


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that arrived."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The sample of nginx before a server that echoes; its port and certificate."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; `apt-get install nginx-light` brings it")
    crt, key = certificate(tmp_path)
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sample = (PROJECT / "deploy" / "nginx.conf").read_text()
    for text, here in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8501": f"127.0.0.1:{behind.server_port}",
        "/etc/ssl/triage/triage.crt": str(crt),
        "/etc/ssl/triage/triage.key": str(key),
    }.items():
        assert text in sample
        sample = sample.replace(text, here)
    folders = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} "
    (tmp_path / "nginx.conf").write_text(f"{whole}http {{ access_log off; {folders}\n{sample}\n}}")
    command = ["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            yield port, crt
        finally:
            running.terminate()
            behind.shutdown()
            behind.server_close()


def through(proxy: tuple[int, Path], path: str, headers: dict[str, str]) -> tuple[int, str]:
    port, crt = proxy
    context = ssl.create_default_context(cafile=crt)
    deadline = time.monotonic() + 30
    while True:
        connection = HTTPSConnection("localhost", port, context=context, timeout=10)
        with closing(connection):
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_the_sample_proxy_passes_no_name_from_outside(proxy: tuple[int, Path]) -> None:
    forged = {"X-Forwarded-User": "Weiss", "X-Forwarded-Groups": "auditors"}
    status, arrived = through(proxy, "/", forged)
    assert status == 200
    assert "Weiss" not in arrived
    assert "auditors" not in arrived
    assert through(proxy, "/metrics", {})[0] == 404
