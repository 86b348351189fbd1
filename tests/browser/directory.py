"""A directory of persons who sign in by OpenID Connect, and a server that knows it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from playwright.sync_api import Page

from tests.browser.driving import ServerWithTinyModel, _free_port

PATIENCE = 60_000
"""Milliseconds for a page of the provider."""
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


@contextmanager
def running_provider() -> Iterator[int]:
    """Run a real OpenID provider, which believes every name; yield its port."""
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


def status(port: int, path: str, cookie: str = "") -> int:
    connection = HTTPConnection("localhost", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def sign_in(page: Page, name: str) -> None:
    """Sign in as a person of the directory, from the start page on."""
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE)
    page.get_by_placeholder("sub").fill(name)
    page.get_by_role("button", name="Authorize").click()


def cookie_of(page: Page) -> str:
    """Return the header `Cookie` that the page's browser sends."""
    return "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
