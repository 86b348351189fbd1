"""What was compiled is read back only for the same weights, and only whole."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from cxr_app.model.compiled_networks import MOST_KEPT, keep_compiled, key_of, read_compiled
from cxr_app.model.openvino_backend import OpenVINOBody

SIDE = 16


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cxr_app" / "networks"


def body(weight: float) -> nn.Module:
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer.requires_grad_(requires_grad=False).eval()


def output(weight: float) -> float:
    result: torch.Tensor = OpenVINOBody(body(weight), SIDE)(torch.ones(1, 1, SIDE, SIDE))
    return float(result[0, 0, 0, 0])


def test_a_network_is_compiled_once_and_changed_weights_again(cache: Path) -> None:
    assert output(2.0) == 2.0
    (kept,) = cache.iterdir()
    written = kept.stat().st_mtime_ns
    assert output(2.0) == 2.0
    assert kept.stat().st_mtime_ns == written
    assert output(3.0) == 3.0
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "other bytes", "of something else", "empty"])
def test_a_damaged_file_is_compiled_again(damage: str, cache: Path) -> None:
    output(2.0)
    (kept,) = cache.iterdir()
    content = bytearray(kept.read_bytes())
    if damage == "cut":
        kept.write_bytes(content[: len(content) // 2])
    elif damage == "other bytes":
        content[-1] ^= 1
        kept.write_bytes(content)
    elif damage == "empty":
        kept.write_bytes(b"")
    else:
        keep_compiled(kept.stem, b"what another program wrote")
    assert output(2.0) == 2.0


def test_a_cache_that_is_a_file_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "cxr_app").write_text("a file")
    assert output(2.0) == 2.0


def test_old_networks_make_room(cache: Path) -> None:
    for number in range(MOST_KEPT + 3):
        keep_compiled(f"{number:02}", bytes([number]))
        os.utime(cache / f"{number:02}.compiled", (number, number))
    assert len(list(cache.iterdir())) == MOST_KEPT
    assert read_compiled("00") is None
    assert read_compiled(f"{MOST_KEPT + 2:02}") == bytes([MOST_KEPT + 2])


def test_every_fact_counts_in_the_key() -> None:
    keys = [key_of(body(2.0), 1), key_of(body(2.0), 2), key_of(body(2.5), 1)]
    assert len(set(keys)) == len(keys)
    assert key_of(body(2.0), 1) == keys[0]
