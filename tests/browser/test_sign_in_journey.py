"""A reader signs in with the site's directory, reads, and signs out; nothing opens without."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.browser.driving import PROJECT, ServerWithTinyModel, _free_port
from tests.support.desk import Desk
from tests.support.films import jpeg

PATIENCE = 60_000
SECRETS = """
[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "only for this test"
client_id = "triage"
client_secret = "not secret"
server_metadata_url = "http://localhost:{port}/.well-known/openid-configuration"
"""


MEMBERS = {"weiss@hospital.example": "doctors", "ada@hospital.example": "science"}
"""The group of each person in the directory of the test."""


class ServerWithSignIn(ServerWithTinyModel):
    """A server whose readers sign in with an OpenID provider of this test."""

    provider_port = 0

    def _environment(self) -> dict[str, str]:
        secrets = self.output.with_name("secrets.toml")
        secrets.write_text(SECRETS.format(url=self.url, port=self.provider_port))
        return super()._environment() | {
            "CXR_SIGN_IN": "oidc",
            "CXR_READER_GROUPS": "doctors",
            "CXR_SCIENTIST_GROUPS": "science",
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }


@pytest.fixture
def provider() -> Iterator[int]:
    """A real OpenID provider, which believes every name; its port."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for name, group in MEMBERS.items():
        command += ["--user-claims", json.dumps({"sub": name, "groups": [group]})]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while status(port, "/.well-known/openid-configuration") != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield port
        running.terminate()


@pytest.fixture
def signed(tmp_path: Path, provider: int) -> Iterator[tuple[ServerWithSignIn, str]]:
    """A server with one film, and the film's id."""
    desk = Desk(tmp_path / "data")
    film = desk.enter(jpeg(1), 0.8, "film.jpeg")
    desk.worklist.close()
    server = ServerWithSignIn(tmp_path / "data", tmp_path / "output.txt", PROJECT)
    server.provider_port = provider
    with server:
        yield server, film


def status(port: int, path: str, cookie: str = "") -> int:
    connection = HTTPConnection("localhost", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def shown_in_window(server: ServerWithSignIn, cookie: str) -> str:
    """What the server sends for the start page into a new window with this cookie."""
    asked, shown = BackMsg(), []
    asked.rerun_script.query_string = ""
    token = cookie.partition("_streamlit_xsrf=")[2].partition(";")[0]
    with connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
        origin=Origin(server.url),
        additional_headers={"Cookie": cookie} if cookie else {},
        subprotocols=[Subprotocol(each) for each in ("streamlit", token) if each],
        open_timeout=60,
    ) as window:
        window.send(asked.SerializeToString())
        while True:
            message = window.recv(timeout=60)
            told = ForwardMsg.FromString(message if isinstance(message, bytes) else b"")
            shown.append(str(told))
            if told.HasField("script_finished"):
                return "".join(shown)


def test_a_reader_signs_in_reads_and_signs_out(
    signed: tuple[ServerWithSignIn, str], page: Page, console_errors: list[str]
) -> None:
    server, film = signed
    assert status(server.port, f"/films/{film}") == 401
    page.goto(server.url)
    expect(page.get_by_text("Sign in to see films.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Worklist")).to_have_count(0)
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE)
    page.get_by_placeholder("sub").fill("weiss@hospital.example")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("weiss@hospital.example")).to_be_visible(timeout=PATIENCE)
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    assert status(server.port, f"/films/{film}", cookie) == 200
    assert status(server.port, f"/films/{film}/heat", cookie) == 200
    assert "film.jpeg" in shown_in_window(server, cookie)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click(timeout=PATIENCE)  # at the provider
    expect(page.get_by_text("Sign in to see films.")).to_be_visible(timeout=PATIENCE)
    assert status(server.port, f"/films/{film}", cookie) == 401, "the old cookie opens nothing"
    for ended in (cookie, ""):
        shown = shown_in_window(server, ended)
        assert "Sign in to see films." in shown
        assert "film.jpeg" not in shown
        assert film not in shown
    # The provider's pages load a style sheet that is not there.
    console_errors[:] = [each for each in console_errors if server.url in each]


def test_a_scientist_of_the_directory_sees_no_film(
    signed: tuple[ServerWithSignIn, str], page: Page, console_errors: list[str]
) -> None:
    server, film = signed
    page.goto(server.url)
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE)
    page.get_by_placeholder("sub").fill("ada@hospital.example")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Retrain")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("link", name="Worklist")).to_have_count(0)
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    assert status(server.port, f"/films/{film}", cookie) == 403
    page.goto(f"{server.url}/film?film={film}")
    expect(page.get_by_text("You may not open films")).to_be_visible(timeout=PATIENCE)
    console_errors[:] = [each for each in console_errors if server.url in each]
