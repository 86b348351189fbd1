"""Freed memory is reused without the kernel, and a process that serves keeps little of it."""

import os
import subprocess
import sys

import pytest

FREE_AND_ASK_AGAIN = """
import resource
import numpy as np
from cxr_app.freed_memory import keep_freed_memory, keep_some_freed_memory
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones({size}, dtype=np.uint8)
before = faults()
for _ in range(10):
    np.ones({size}, dtype=np.uint8)
print((faults() - before) * resource.getpagesize() / (10 * {size}))
"""
LARGE, FILM = 2**27, 10 * 2**20
FREE_MUCH = """
import psutil
from cxr_app.freed_memory import MOST_KEPT, keep_some_freed_memory
keep_some_freed_memory()
before = psutil.Process().memory_info().rss
films = [b"x" * (10 * 2**20) for _ in range(40)]
del films
print((psutil.Process().memory_info().rss - before) / MOST_KEPT)
"""
needs_gnu = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}),
    reason="only the GNU C library has this option",
)


@needs_gnu
def test_freed_memory_is_reused() -> None:
    assert share_from_the_kernel("", LARGE) > 0.001  # below 1, as pages may be huge
    assert share_from_the_kernel("keep_freed_memory()", LARGE) < 0.0001


@needs_gnu
def test_a_process_that_serves_reuses_the_memory_of_films() -> None:
    assert share_from_the_kernel("keep_some_freed_memory()", FILM) < 0.0001


@needs_gnu
def test_a_process_that_serves_keeps_little_of_what_many_films_took() -> None:
    assert printed(FREE_MUCH) < 1.2


def share_from_the_kernel(first: str, size: int) -> float:
    """Fill so many bytes ten times in a new process; return the share of pages from the kernel."""
    return printed(FREE_AND_ASK_AGAIN.format(first=first, size=size))


def printed(program: str) -> float:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)
