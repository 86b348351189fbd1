"""A real server and a real browser: how the journeys start, wait for and end them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

from tests.support.checkpoints import write_tiny

PROJECT = Path(__file__).resolve().parent.parent.parent

START_SECONDS = 120.0
"""A cold start of an idle machine takes about 3 s; a busy one may take much longer."""

SETTLE_MILLISECONDS = 150
"""A click reaches the server, and the script state the page, within this time."""

SANDBOX = os.geteuid() != 0
BROWSER_ARGUMENTS = ("--disable-dev-shm-usage",)
"""Containers often run as root and have a small ``/dev/shm``: Chromium refuses the first with its
sandbox on, and crashes in the second."""


class Server:
    """``streamlit run app.py`` in its own process, on a free port and with its own data folder.

    Parameters
    ----------
    data_dir
        Where it keeps films and worklist; None runs it with no setting at all.
    output
        The file that gets what the server prints.
    project
        The folder that holds ``app.py``.
    """

    def __init__(self, data_dir: Path | None, output: Path, project: Path = PROJECT) -> None:
        self.data_dir = data_dir
        self.output = output
        self.project = project
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the app is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return once it answers.

        Raises
        ------
        RuntimeError
            If it ends or stays silent; the message holds what it printed.
        """
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.answer("/_stcore/health") is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                printed = self.output.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the server did not start; it printed:\n{printed}")
            time.sleep(0.1)

    def wait_for_model(self) -> None:
        """Return once the model is ready: from then on the list says which films another scored."""
        deadline = time.monotonic() + START_SECONDS
        while '"ready"' not in (self.answer("/healthz") or ""):
            if time.monotonic() > deadline:
                raise RuntimeError("the model is not ready")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end, and make it end where it does not; a stopped server stays stopped."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it without warning, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop it and start it on the same port and data folder."""
        self.stop()
        self.start()

    def _command(self) -> list[str]:
        options = ["--server.headless=true", f"--server.port={self.port}"]
        return [sys.executable, "-m", "streamlit", "run", "app.py", *options]

    def _environment(self) -> dict[str, str]:
        """Everything but settings: those of the developer's shell must not reach the test."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CXR_", "STREAMLIT_"))
        }
        return kept if self.data_dir is None else kept | {"CXR_DATA_DIR": str(self.data_dir)}

    def answer(self, path: str) -> str | None:
        """Ask for what is at a path; None where there is no server yet, or it is not well."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.read().decode() if response.status == HTTPStatus.OK else None
        except OSError:
            return None
        finally:
            connection.close()


class ServerWithTinyModel(Server):
    """A server whose model needs no training and loads in a moment."""

    def _environment(self) -> dict[str, str]:
        checkpoint = write_tiny(self.output.with_name("tiny.safetensors"))
        return super()._environment() | {"CXR_CHECKPOINT": str(checkpoint)}


def find_chromium() -> str | None:
    """Path of the system's Chromium or Chrome, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def launch(chromium: BrowserType, executable: str) -> Browser:
    """Start the browser without a window."""
    return chromium.launch(
        executable_path=executable, chromium_sandbox=SANDBOX, args=BROWSER_ARGUMENTS
    )


def launch_kept(chromium: BrowserType, executable: str, profile: Path) -> BrowserContext:
    """Start the browser on a profile that it keeps, as a reader's own does: with its cache."""
    return chromium.launch_persistent_context(
        profile,
        executable_path=executable,
        chromium_sandbox=SANDBOX,
        args=BROWSER_ARGUMENTS,
        viewport={"width": 1440, "height": 900},
    )


def wait_idle(page: Page, timeout_seconds: float = 30.0) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for(
        timeout=timeout_seconds * 1000
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
