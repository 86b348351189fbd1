"""The names that need no torch are those of the networks."""

from cxr_app.model.architectures import ARCHITECTURES, BASELINES
from cxr_app.model.networks import NETWORKS, baselines


def test_the_names_are_those_of_the_networks() -> None:
    assert set(ARCHITECTURES) == set(NETWORKS)
    assert set(BASELINES) == set(baselines.NETWORKS)
