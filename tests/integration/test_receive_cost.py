"""The cost of receiving is measured with a real Orthanc beside our receiver."""

import pytest

from training.bench.dicom_peers import PeerMissingError, in_own_network


def test_both_receive_every_film_and_their_cost_is_counted() -> None:
    try:
        measured = in_own_network("training.bench.receive_cost", "5")
    except PeerMissingError as missing:
        pytest.skip(str(missing))
    assert 10 < measured["megabytes"] < 11
    assert 5 < measured["ours_ms"] < 1000
    assert 5 < measured["orthanc_ms"] < 1000
