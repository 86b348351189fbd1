"""The names that need no torch are those of the networks."""

from cxr_app.model.architectures import ARCHITECTURES
from cxr_app.model.networks import NETWORKS


def test_the_names_are_those_of_the_networks() -> None:
    assert set(ARCHITECTURES) == set(NETWORKS)
