"""A process of background work has a lower priority than pages, in all of its threads."""

import os
import subprocess
import sys

import pytest

from cxr_app.low_priority import NICENESS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it for a thread")

PROGRAM = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from cxr_app.low_priority import yield_to_readers

def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

with ThreadPoolExecutor(1) as before, ThreadPoolExecutor(1) as after:
    before.submit(niceness).result()
    for _ in range(int(sys.argv[1])):
        yield_to_readers()
    print(niceness(), before.submit(niceness).result(), after.submit(niceness).result())
"""


@pytest.mark.parametrize("times", [1, 3])
def test_threads_of_before_and_after_yield_as_far_as_there_is_a_lower_priority(times: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(times)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lowered = min(os.getpriority(os.PRIO_PROCESS, 0) + times * NICENESS, 19)
    assert printed.split() == [str(lowered)] * 3
