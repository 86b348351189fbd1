"""Associations that wait are roused by what arrives, and do next to nothing until it does."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from cxr_app.pacs.idle_wait import LONGEST_SECONDS, on_connected
from tests.support.peers import free_port

PATIENCE = 20.0
WAITING = 10
SILENCE_SECONDS = 1.0
MOST_LOOKS = 3 * SILENCE_SECONDS / LONGEST_SECONDS
"""Of a thread in that time; pynetdicom looks a thousand times a second."""
ECHOES = 20


@contextmanager
def served(*handlers: Any, **settings: Any) -> Iterator[tuple[AE, int]]:
    """Serve C-ECHO so; yield who asks for it, and the port."""
    entity, port = AE(), free_port()
    entity.maximum_associations = WAITING
    for name, value in settings.items():
        setattr(entity, name, value)
    entity.add_supported_context(Verification)
    entity.add_requested_context(Verification)
    bound = [(evt.EVT_CONN_OPEN, on_connected), *handlers]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=bound)
    assert server is not None
    try:
        yield entity, port
    finally:
        server.shutdown()


def opened(entity: AE, port: int, count: int = 1) -> list[Association]:
    found = [entity.associate("127.0.0.1", port) for _ in range(count)]
    assert all(each.is_established for each in found)
    return found


def test_associations_that_wait_hardly_look_for_work() -> None:
    looks: Counter[Association] = Counter()

    def count_looks(event: evt.Event) -> None:
        for owner, name in (
            (event.assoc.dimse, "get_msg"),
            (event.assoc.dul, "_process_recv_primitive"),
        ):
            looking: Any = getattr(owner, name)

            def counted(*arguments: Any, looking: Any = looking, **named: Any) -> Any:
                looks[event.assoc] += 1
                return looking(*arguments, **named)

            setattr(owner, name, counted)

    with served((evt.EVT_CONN_OPEN, count_looks)) as (entity, port):
        waiting = opened(entity, port, WAITING)
        time.sleep(LONGEST_SECONDS)
        looks.clear()
        time.sleep(SILENCE_SECONDS)
        assert len(looks) == WAITING
        assert max(looks.values()) < 2 * MOST_LOOKS
        for each in waiting:
            each.release()


def test_what_arrives_is_answered_at_once() -> None:
    with served() as (entity, port):
        (association,) = opened(entity, port)
        taken = []
        for _ in range(ECHOES):
            time.sleep(LONGEST_SECONDS / 5)  # so that both threads wait
            begun = time.monotonic()
            assert association.send_c_echo().Status == 0x0000
            taken.append(time.monotonic() - begun)
        association.release()
    assert median(taken) < LONGEST_SECONDS / 2


@pytest.mark.parametrize("how", ["release", "abort"])
def test_an_association_that_ends_takes_its_files_with_it(how: str) -> None:
    with served() as (entity, port):
        for each in opened(entity, port, WAITING):
            getattr(each, how)()
        _until(lambda: not entity.active_associations)
        before = _open_files()
        for _ in range(3):
            for each in opened(entity, port, WAITING):
                getattr(each, how)()
            _until(lambda: not entity.active_associations)
        _until(lambda: _open_files() <= before)


def test_a_server_ends_an_association_that_waits_at_once() -> None:
    accepted: list[Association] = []
    with served((evt.EVT_ACCEPTED, lambda event: accepted.append(event.assoc))) as (entity, port):
        opened(entity, port)
        _until(lambda: bool(accepted))
        begun = time.monotonic()
        accepted[0].abort()
        assert time.monotonic() - begun < 10 * LONGEST_SECONDS
        _until(lambda: not entity.active_associations)


def test_silence_still_ends_an_association() -> None:
    with served(network_timeout=SILENCE_SECONDS) as (entity, port):
        (association,) = opened(entity, port)
        association.network_timeout = None
        begun = time.monotonic()
        _until(lambda: not association.is_established)
        assert time.monotonic() - begun > SILENCE_SECONDS / 2


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _until(is_done: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.02)
