"""The device that a network runs on."""

import pytest
import torch

from cxr_app.errors import SettingsError
from cxr_app.model.device import choose_device, device_name


def test_a_device_that_is_not_there_is_refused_by_name() -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(SettingsError, match=absent):
        choose_device(absent)


def test_auto_takes_the_best_device_there_is() -> None:
    device = choose_device("auto")

    best = "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.backends.mps.is_available():
        assert device.type == best
    assert device_name(torch.device("cpu")) == "CPU"
