"""Freed memory is reused without the kernel."""

import os
import subprocess
import sys

import pytest

FREE_AND_ASK_AGAIN = """
import resource
import numpy as np
from training.fit.malloc import keep_freed_memory
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**27, dtype=np.uint8)
before = faults()
for _ in range(10):
    np.ones(2**27, dtype=np.uint8)
print((faults() - before) * resource.getpagesize() / (10 * 2**27))
"""


@pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}),
    reason="only the GNU C library has this option",
)
def test_freed_memory_is_reused() -> None:
    assert share_from_the_kernel("") > 0.001  # below 1, as pages may be huge
    assert share_from_the_kernel("keep_freed_memory()") < 0.0001


def share_from_the_kernel(first: str) -> float:
    """Fill 128 MB ten times in a new process; return the share of pages from the kernel."""
    program = FREE_AND_ASK_AGAIN.format(first=first)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)
