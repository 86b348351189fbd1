"""Compiled networks in the user's cache: compiling takes seconds, reading back tenths of one."""

import functools
import hashlib
from contextlib import suppress
from pathlib import Path

import platformdirs
from torch import nn

from cxr_app.atomic_file import atomic_write

MOST_KEPT = 12
"""Compiled networks kept; the oldest make room for new ones."""
_DIGEST_BYTES = hashlib.sha256().digest_size


def key_of(network: nn.Module, *facts: object) -> str:
    """Return the name of a compiled network, which any change of weights, code or facts changes.

    Parameters
    ----------
    facts
        What else decides what is compiled: versions, processor, options.
    """
    digest = hashlib.sha256(repr(facts).encode())
    digest.update(_code())
    digest.update(type(network).__qualname__.encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def read_compiled(key: str) -> bytes | None:
    """Return a compiled network; None if none is kept, or the file is not what was written."""
    try:
        content = _path(key).read_bytes()
    except OSError:
        return None
    digest, compiled = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return compiled if hashlib.sha256(compiled).digest() == digest else None


def keep_compiled(key: str, compiled: bytes) -> None:
    """Keep a compiled network; where the cache cannot be written, it is compiled each time."""
    with suppress(OSError):
        path = _path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, hashlib.sha256(compiled).digest() + compiled, private=True)
        kept = sorted(path.parent.glob("*.compiled"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)


@functools.cache
def _code() -> bytes:
    """Return the code of all networks; it does not change while the program runs."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return b"".join(file.read_bytes() for file in files)


def _path(key: str) -> Path:
    return platformdirs.user_cache_path("cxr_app") / "networks" / f"{key}.compiled"
