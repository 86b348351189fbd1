"""Claims name their process: only one that has certainly ended has abandoned them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_app.worklist import claim_owner
from cxr_app.worklist.claim_owner import HOST, NONCE, PID, is_abandoned, new_claim

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/ns/pid").exists(), reason="only Linux tells when a process began"
)


def claim_of_an_ended_process() -> str:
    program = "from cxr_app.worklist.claim_owner import new_claim; print(new_claim())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_every_claim_is_another_and_has_the_length_of_its_column() -> None:
    claims = {new_claim() for _ in range(1000)}
    assert len(claims) == 1000
    assert {len(each) for each in claims} == {32}


def test_a_running_process_has_abandoned_nothing() -> None:
    assert not is_abandoned(new_claim())


@needs_proc
def test_a_process_that_has_ended_has_abandoned_its_claims() -> None:
    assert is_abandoned(claim_of_an_ended_process())


@needs_proc
def test_a_process_that_got_the_number_of_an_ended_one_does_not_keep_its_claims() -> None:
    own = new_claim()
    begun = own[HOST + PID : -NONCE]
    earlier = f"{int(begun, 16) - 1:0{len(begun)}x}"
    assert is_abandoned(own.replace(begun, earlier))


def test_a_process_of_another_user_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert not is_abandoned(new_claim())


@pytest.mark.parametrize("claim", ["", "x" * 32, "0" * 32, "f" * 32, "0123456789abcdef" * 2])
def test_claims_of_other_computers_and_versions_are_left_alone(claim: str) -> None:
    assert not is_abandoned(claim)


def test_where_the_system_tells_nothing_no_claim_is_abandoned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = claim_of_an_ended_process()
    claim_owner._host.cache_clear()
    monkeypatch.setattr(claim_owner, "_PROC", tmp_path)
    try:
        assert len(new_claim()) == 32
        assert not is_abandoned(ended)
        assert not is_abandoned(new_claim())
    finally:
        claim_owner._host.cache_clear()
