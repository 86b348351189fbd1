"""Compile the networks of a checkpoint, in a process of its own: only here is PyTorch needed.

``python -m cxr_app.model.compile_networks CHECKPOINT [PREVALENCE]`` writes them to standard output.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from cxr_app.errors import CxrError, SettingsError
from cxr_app.model.compiled_networks import (
    Programs,
    keep_compiled,
    key_of,
    only_one,
    packed,
    read_compiled,
    unpacked,
)
from cxr_app.model.description import DescribedCheckpoint
from cxr_app.model.openvino_runtime import CANNOT_RUN, facts

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300.0
"""For PyTorch to be imported, and all networks to be recorded and compiled."""


def compiled_networks(path: Path, source: DescribedCheckpoint) -> Programs:
    """Return the compiled networks of a checkpoint, from the cache if they were compiled before.

    Parameters
    ----------
    path
        Of the checkpoint.
    source
        What was read there, at the site's share of pneumonia.

    Raises
    ------
    SettingsError
        If OpenVINO is not installed or cannot run this kind of network.
    """
    prevalence = source.site_prevalence[1] if source.site_prevalence else None
    key = key_of(source.sha256, prevalence, version("torch"), *facts())
    kept = read_compiled(key)
    if kept is None:
        with only_one():
            kept = read_compiled(key)  # another process may just have compiled it
            if kept is None:
                content = _compiled_elsewhere(path, prevalence)
                kept = unpacked(content)
                if kept is not None:
                    keep_compiled(key, content)
    if not kept:
        raise SettingsError(CANNOT_RUN)
    return kept


def _compiled_elsewhere(path: Path, prevalence: float | None) -> bytes:
    """Return what the process wrote; nothing if it failed."""
    words = [str(path.resolve()), *([] if prevalence is None else [repr(prevalence)])]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", __name__, *words],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def main(words: list[str]) -> int:
    """Write the compiled networks, and return the exit status.

    It is 0 also for a network that OpenVINO can never run, of which there are no compiled ones. It
    is 1 if anything failed: another try may go well.
    """
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # no library's remark may end up among the networks
        from cxr_app.model import checkpoint
        from cxr_app.model.film_programs import film_programs
        from cxr_app.model.site_prevalence import at_prevalence

        prevalence = float(words[1]) if len(words) > 1 else None
        try:
            source = at_prevalence(checkpoint.load(Path(words[0])), prevalence)
            out.write(packed(film_programs(source)))
        except CxrError:  # whoever asked says what is wrong, when PyTorch meets it there
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
