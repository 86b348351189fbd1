"""Background work has a lower priority than pages: its own threads, and no others."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from cxr_app.imaging import intake
from cxr_app.imaging.isolated_decoder import end_decoders
from cxr_app.low_priority import NICENESS, yield_to_readers
from tests.support.films import jpeg

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it for a thread")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_and_those_that_it_starts_yield_and_others_do_not() -> None:
    before = niceness()

    def work() -> tuple[int, int]:
        yield_to_readers()
        with ThreadPoolExecutor(1) as pool:
            return niceness(), pool.submit(niceness).result()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == (min(before + NICENESS, 19),) * 2
    assert niceness() == before


def test_what_yields_already_goes_on() -> None:
    def work() -> int:
        for _ in range(3):
            yield_to_readers()
        return niceness()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == 19


def test_a_film_is_decoded_at_the_priority_of_the_thread_that_waits_for_it() -> None:
    end_decoders()
    data = jpeg(1)

    def decode() -> None:
        intake.read_softcopy(data, in_subprocess=True)

    def decode_in_background() -> None:
        yield_to_readers()
        decode()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(decode_in_background).result()
    decode()
    decode()
    children = psutil.Process().children()
    found = [each.nice() for each in children if "isolated_decoder" in " ".join(each.cmdline())]
    end_decoders()
    assert sorted(found) == [niceness(), min(niceness() + NICENESS, 19)]
