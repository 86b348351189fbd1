"""The server: it reports its health, starts only if it can work, and serves this machine only."""

import json
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cxr_app.ui.server.security_headers import HEADERS
from tests.browser.driving import PROJECT, Server


def get(server: Server, path: str) -> tuple[int, str]:
    """Ask the server for a path."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_the_health_route_says_how_the_engine_is_doing(server: Server) -> None:
    status, body = get(server, "/healthz")
    page_text = json.loads(body)
    assert set(page_text) == {"state", "message", "model_version", "device"}
    assert page_text["state"] in ("loading", "ready", "failed")
    assert status == (503 if page_text["state"] == "failed" else 200)


@pytest.mark.parametrize("path", ["/admin", "/.env", "/film/x", "/films"])
def test_an_unknown_address_answers_404(server: Server, path: str) -> None:
    assert get(server, path)[0] == 404
    assert get(server, "/film")[0] == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/films/none"])
def test_every_response_has_security_headers(server: Server, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    headers = connection.getresponse().headers
    connection.close()
    assert {name: headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/films/none", "/favicon.png", "/_stcore/health"]
)
@pytest.mark.parametrize("header", [{"Host": "other.example"}, {"Origin": "http://other.example"}])
def test_another_site_gets_nothing(server: Server, path: str, header: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers=header)
    answer = connection.getresponse()
    assert (answer.status, "CXR_ALLOWED_HOSTS" in answer.read().decode()) == (400, True)
    connection.close()


def test_another_sites_name_opens_no_websocket(server: Server) -> None:
    handshake = {
        "Host": "other.example",
        "Origin": "http://other.example",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/_stcore/stream", headers=handshake)
    assert connection.getresponse().status == 400
    connection.close()


def test_no_answer_waits_for_the_browser_to_acknowledge_its_beginning(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    taken = [seconds_to_answer(connection, "/favicon.png") for _ in range(30)]
    connection.close()
    assert min(taken[10:]) < 0.03  # a first few are acknowledged at once; the others after 0.04 s


def seconds_to_answer(connection: HTTPConnection, path: str) -> float:
    """Ask for a path, and wait for the whole answer."""
    began = time.monotonic()
    connection.request("GET", path)
    assert connection.getresponse().read()
    return time.monotonic() - began


def test_the_server_accepts_connections_from_this_machine_only(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: asks which address would be used
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but its own")
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection((own, server.port), timeout=5),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CXR_DEVICE", "tpu", "CXR_DEVICE is 'tpu'"),
        ("CXR_DATA_DIR", "/proc/no", "Check the folder and its rights"),
        ("CXR_DATABASE_URL", "nonsense", "CXR_DATABASE_URL"),
    ],
)
def test_an_impossible_setting_ends_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port=0"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=110)
    page_text = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "The app cannot start. " in page_text
    assert sentence in page_text
    assert "Traceback" not in page_text
