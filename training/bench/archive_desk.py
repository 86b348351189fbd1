"""The whole desk beside an archive: server, receiver and sender, which may be killed one by one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from cxr_app.settings import PROJECT
from training.bench.dicom_peers import (
    POLL_SECONDS,
    RECEIVER_PORT,
    settings_only,
    wait_until_open,
)

SERVER_PORT = 18501
SERVER, RECEIVER, SENDER = "server", "cxr_app.pacs.receiver", "cxr_app.pacs.sender"
END_SECONDS = 60.0


class ArchiveDesk:
    """The app as it is started, with the processes that it starts and watches.

    Parameters
    ----------
    folder
        Of its log.
    settings
        Of the program, with an empty data folder.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder, self._settings = folder, settings
        self._server = self._start()

    def wait_until_receiving(self) -> None:
        """Wait until films can be sent."""
        wait_until_open(self._server, RECEIVER_PORT)

    def kill(self, part: str) -> bool:
        """End a part at once, as a failure of the machine would; start the server again.

        The others are started again by the server. Returns whether the part was running.
        """
        if part != SERVER:
            running = self._find(part)
            for each in running:
                each.kill()
            return bool(running)
        parts = psutil.Process(self._server.pid).children(recursive=True)
        self._server.kill()
        self._server.wait()
        psutil.wait_procs(parts, END_SECONDS)  # they end by themselves
        self._server = self._start()
        return True

    def stop(self) -> None:
        """End all of it as a person would."""
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(END_SECONDS)

    def _find(self, module: str) -> list[psutil.Process]:
        """Return the processes that run a module, and not those that have just ended."""
        children = psutil.Process(self._server.pid).children(recursive=True)
        return [each for each in children if module in _command_of(each)]

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
        with (self._folder / "server.log").open("ab") as log:
            server = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--server.port", str(SERVER_PORT)],
                cwd=PROJECT,
                env=settings_only({"PATH": os.environ["PATH"], **self._settings}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until_open(server, SERVER_PORT)
        time.sleep(POLL_SECONDS)
        return server


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
