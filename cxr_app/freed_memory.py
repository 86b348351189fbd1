"""Keeping freed memory in the process, for the next batch or film.

By default the GNU C library returns a large block to the kernel when it is freed. A network
allocates blocks of the same sizes with each batch, and a receiver with each film, and each time the
kernel must find, clear and map all their pages again: up to half of a training step, and a sixth of
receiving a film, if page faults are expensive, as in virtual machines.
"""

import ctypes
import os
from collections.abc import Mapping

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -3, -4, -8
"""Options of ``mallopt``, numbered as in ``malloc.h`` of the GNU C library."""
NEVER = -1
GROWTH_BYTES = 64 * 2**20
LARGEST_KEPT, MOST_KEPT = 32 * 2**20, 64 * 2**20
"""Of a process that serves: the largest block that is kept, and what is kept of all together."""


def keep_freed_memory() -> None:
    """Keep freed memory in this process until it ends; its size stays at its highest.

    For processes that repeat one task. Does nothing without the GNU C library.
    """
    _set_options({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: NEVER, M_TOP_PAD: GROWTH_BYTES})


def keep_some_freed_memory() -> None:
    """Keep as much freed memory as films of usual size need, for all threads together.

    For processes that serve for long; to be called before they start threads. Does nothing without
    the GNU C library.
    """
    options = {M_MMAP_THRESHOLD: LARGEST_KEPT, M_TRIM_THRESHOLD: MOST_KEPT, M_ARENA_MAX: 1}
    _set_options(options)


def _set_options(options: Mapping[int, int]) -> None:
    if _is_gnu():
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in options.items():
            mallopt(option, value)


def _is_gnu() -> bool:
    """Return whether the C library is GNU's; others do not have this name."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False
