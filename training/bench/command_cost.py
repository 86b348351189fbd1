"""What a command costs, by the clock and of the processor, with everything that it starts.

Run as a script, it runs the words that it is given and prints both in seconds as JSON. Processes
that outlive the command's first one are waited for and counted, where the system is Linux.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
"""Of ``prctl``: orphans among a process's descendants become its children."""


class Cost(NamedTuple):
    """Seconds by the clock and of the processor."""

    seconds: float
    cpu_seconds: float


def cost_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command in a folder and return what it cost.

    Parameters
    ----------
    environment
        Added to that of this process.

    Raises
    ------
    RuntimeError
        If it fails; with the end of what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, __file__, *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[:3]} failed: {done.stderr[-500:]}")
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def main(command: Sequence[str]) -> int:
    """Run the command, print its cost, and return its exit status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.monotonic()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode  # noqa: S603
    seconds = time.monotonic() - began
    with suppress(ChildProcessError):
        while True:
            os.wait()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([seconds, spent.ru_utime + spent.ru_stime]))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
