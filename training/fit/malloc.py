"""Keeping freed memory in the process, for the next batch.

By default the GNU C library returns a large block to the kernel when it is freed. A network
allocates blocks of the same sizes with each batch, and each time the kernel must find, clear and
map all their pages again: up to half of a training step if page faults are expensive, as in
virtual machines.
"""

import ctypes
import os

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Options of ``mallopt``, numbered as in ``malloc.h`` of the GNU C library."""
NEVER = -1
GROWTH_BYTES = 64 * 2**20


def keep_freed_memory() -> None:
    """Keep freed memory in this process until it ends; its size stays at its highest.

    For processes that repeat one task. Does nothing without the GNU C library.
    """
    if not _is_gnu():
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_TOP_PAD, GROWTH_BYTES)


def _is_gnu() -> bool:
    """Return whether the C library is GNU's; others do not have this name."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False
