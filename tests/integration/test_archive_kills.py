"""Receiver, sender and server are killed beside a real Orthanc: nothing lost, nothing doubled."""

import pytest

from cxr_app.worklist.outbox import LEASE
from training.bench.dicom_peers import PeerMissingError, in_own_network

KILLS, FILMS_A_KILL = 9, 4


def test_kills_lose_and_double_no_film_and_no_result() -> None:
    try:
        found = in_own_network("training.bench.archive_kill_test", str(KILLS), str(FILMS_A_KILL))
    except PeerMissingError as missing:
        pytest.skip(str(missing))
    assert sum(found["kills"].values()) == KILLS
    wrong = {name: found[name] for name in found if name.endswith(("lost", "twice", "unscored"))}
    assert wrong.keys() >= {"films_lost", "films_twice", "results_lost", "results_twice"}
    assert not any(wrong.values()), wrong
    assert found["seconds"] < LEASE.total_seconds(), "no claim was waited for"
