"""Memory that a process frees, and soon wants again.

By default the GNU C library gives a large block back to the kernel when it is freed. A network asks
for blocks of the same sizes with each batch, and each time the kernel must find, clear and map
every page of them anew: up to half of a training step where a page fault is dear, as in virtual
machines.
"""

import ctypes
import os

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Options of ``mallopt``, as ``malloc.h`` of the GNU C library numbers them."""
NEVER = -1
GROWTH_BYTES = 64 * 2**20


def keep_freed_memory() -> None:
    """Let this process keep what it frees until it ends; its memory stays at its highest.

    For processes that do one thing over and over. Without the GNU C library nothing changes.
    """
    if not _is_gnu():
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_TOP_PAD, GROWTH_BYTES)


def _is_gnu() -> bool:
    """Ask the system which C library it has; others have no such name."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False
