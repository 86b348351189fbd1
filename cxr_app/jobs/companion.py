"""A process that runs as long as the server: started with it, and again if it ends."""

import logging
import subprocess
import sys
import threading
import time

from cxr_app.jobs.child_environment import child_environment
from cxr_app.jobs.companion_program import USAGE
from cxr_app.jobs.stop_event import UNTIL_INPUT_ENDS
from cxr_app.settings import PROJECT, Settings

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STABLE_SECONDS = 60.0
"""A process that has run so long is started again at once."""
STOP_SECONDS = 10.0


class Companion:
    """Runs ``python -m MODULE --until-input-ends`` and starts it again whenever it ends.

    Parameters
    ----------
    module
        What to run; it ends by itself if the server is killed.
    settings
        Passed on in its environment.
    is_wanted
        Whether to run it at all.
    stop_seconds
        Time that it has to end when the server stops.
    """

    def __init__(
        self,
        module: str,
        settings: Settings,
        *,
        is_wanted: bool = True,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._module = module
        self._settings = settings
        self._is_wanted = is_wanted
        self._stop_seconds = stop_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=module, daemon=True)

    def start(self) -> None:
        """Start the process, if it is wanted."""
        if self._is_wanted:
            self._thread.start()

    def stop(self) -> None:
        """End the process; it finishes what it has in hand, within bounds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def pid(self) -> int | None:
        """Id of the process; None if it does not run."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            begun = time.monotonic()
            status = self._run_once()
            if self._stop.is_set():
                return
            self._ended()
            if status == USAGE:
                logger.error("%s does not run: see its message above", self._module)
                return
            logger.warning("%s ended with status %s and is started again", self._module, status)
            is_stable = time.monotonic() - begun > STABLE_SECONDS
            pause = FIRST_PAUSE_SECONDS if is_stable else min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._stop.wait(pause)

    def _run_once(self) -> int:
        """Run the process until it ends or the server stops; return its exit status."""
        try:
            self._child = self._begin()
        except OSError as error:
            logger.warning("%s cannot be started: %s", self._module, error.strerror)
            return 1
        with self._child:
            return self._watched(self._child)

    def _environment(self) -> dict[str, str]:
        return child_environment(self._settings)

    def _begin(self, output: int | None = None) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", self._module, UNTIL_INPUT_ENDS],
            cwd=PROJECT,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=output,
        )

    def _ended(self) -> None:
        """Take note that the process has ended, or could not be started."""

    def _watched(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for the end of the process, or end it when the server stops."""
        while child.poll() is None and not self._stop.wait(WATCH_SECONDS):
            pass
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(self._stop_seconds)
            except subprocess.TimeoutExpired:
                child.kill()
        return child.wait()
