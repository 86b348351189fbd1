"""Compiled networks in the user's cache: compiling takes seconds, reading back tenths of one."""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import platformdirs
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from cxr_app.atomic_file import atomic_write

MOST_KEPT = 12
"""Checkpoints whose networks are kept; the oldest make room for new ones."""
_DIGEST_BYTES = hashlib.sha256().digest_size

FILM, LUNGS, CROP, VIEW = "film", "lungs", "crop", "view"
"""Names of compiled networks. A checkpoint has ``film``, or ``lungs`` and then ``crop``."""

Programs = Mapping[str, bytes]
"""The compiled networks of a checkpoint, by name; none of one that OpenVINO cannot run."""


def key_of(*facts: object) -> str:
    """Return the name of compiled networks, which any change of code or of a fact changes.

    Parameters
    ----------
    facts
        What decides what is compiled: checkpoint, versions, processor, options.
    """
    digest = hashlib.sha256(repr(facts).encode())
    digest.update(_code())
    return digest.hexdigest()


def packed(programs: Programs) -> bytes:
    """Return compiled networks as one file, which begins with its digest."""
    arrays = {name: np.frombuffer(each, np.uint8) for name, each in programs.items()}
    content: bytes = save_arrays(arrays)
    return hashlib.sha256(content).digest() + content


def unpacked(content: bytes) -> Programs | None:
    """Return compiled networks from their file; None if it is not what `packed` returned."""
    digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    try:
        return {name: each.tobytes() for name, each in load_arrays(rest).items()}
    except SafetensorError:
        return None


def read_compiled(key: str) -> Programs | None:
    """Return compiled networks; None if none are kept, or the file is not what was written."""
    try:
        return unpacked(_path(key).read_bytes())
    except OSError:
        return None


def keep_compiled(key: str, content: bytes) -> None:
    """Keep what `packed` returned; where the cache cannot be written, it is compiled each time."""
    with suppress(OSError):
        path = _path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, content, private=True)
        kept = sorted(path.parent.glob("*.compiled"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)


@contextmanager
def only_one() -> Iterator[None]:
    """Let one process at a time compile; where no lock can be had, each does."""
    path = _path("").with_name("compiling.lock")
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(FileLock(path))
        yield


@functools.cache
def _code() -> bytes:
    """Return the code of all networks; it does not change while the program runs."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return b"".join(file.read_bytes() for file in files)


def _path(key: str) -> Path:
    return platformdirs.user_cache_path("cxr_app") / "networks" / f"{key}.compiled"
