"""Large files written past the system's cache of files.

The cache would copy a film into memory that is fresh each time, and write it to the disk page by
page: for a film of 10 MB that took ten times the CPU time, and five times as long until the disk
had it. It is read soon, once to be scored and again to be shown, and the first of these caches it.
"""

import errno
import mmap
import os
from pathlib import Path

SMALLEST_BYTES = 2**20
"""Smaller files are written as usual."""
PART_BYTES = 2**20
BLOCK_BYTES = 4096
"""What parts must be multiples of; disks have blocks of this size or smaller."""


def write_uncached(path: Path, content: bytes) -> None:
    """Write a file that exists; as usual where the disk has no direct access.

    It is on the disk only after `atomic_file.flush`, like any other.
    """
    if len(content) < SMALLEST_BYTES or not _write_directly(path, content):
        path.write_bytes(content)


def _write_directly(path: Path, content: bytes) -> bool:
    """Write past the cache; return False if that is not possible here."""
    direct: int | None = getattr(os, "O_DIRECT", None)
    if direct is None:
        return False
    try:
        descriptor = os.open(path, os.O_WRONLY | direct)
        try:
            _write_parts(descriptor, content)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return False
        raise
    return True


def _write_parts(descriptor: int, content: bytes) -> None:
    """Write from memory that is aligned, in whole blocks; cut what is too much at the end."""
    with memoryview(content) as whole, mmap.mmap(-1, PART_BYTES) as memory:
        for start in range(0, len(whole), PART_BYTES):
            part = whole[start : start + PART_BYTES]
            memory[: len(part)] = part
            blocks = -(-len(part) // BLOCK_BYTES) * BLOCK_BYTES
            written = 0
            while written < blocks:
                with memoryview(memory)[written:blocks] as rest:
                    written += os.write(descriptor, rest)
    os.ftruncate(descriptor, len(content))
