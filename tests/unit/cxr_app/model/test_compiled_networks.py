"""What was compiled is read back only for the same weights, and only whole."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cxr_app.errors import SettingsError
from cxr_app.model import compile_networks
from cxr_app.model.compiled_classifier import CompiledClassifier
from cxr_app.model.compiled_networks import (
    MOST_KEPT,
    keep_compiled,
    key_of,
    packed,
    read_compiled,
    unpacked,
)
from tests.support.checkpoints import write_ancestor, write_tiny
from tests.unit.cxr_app.model.test_classifier import films


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cxr_app" / "networks"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.safetensors")


@pytest.fixture(scope="module")
def content(tiny: Path) -> bytes:
    """What the process that compiles has written."""
    return compile_networks._compiled_elsewhere(tiny, None)


@pytest.fixture
def compiled(content: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every checkpoint that is compiled; each takes a while."""
    found: list[Path] = []

    def compile_slowly(path: Path, _: float | None) -> bytes:
        found.append(path)
        time.sleep(0.2)
        return content

    monkeypatch.setattr(compile_networks, "_compiled_elsewhere", compile_slowly)
    return found


def probability(path: Path) -> float:
    classifier = CompiledClassifier.load(path)
    (prediction,) = classifier.predict([classifier.prepare(films(1)[0])])
    return prediction.pneumonia_probability


def test_networks_are_compiled_once_and_those_of_another_file_again(
    tiny: Path, tmp_path: Path, compiled: list[Path]
) -> None:
    first = probability(tiny)
    assert probability(tiny) == first
    assert compiled == [tiny]
    other = write_tiny(tmp_path / "other.safetensors", threshold=0.25)
    probability(other)
    assert compiled == [tiny, other]


def test_a_damaged_file_is_compiled_again(tiny: Path, cache: Path, compiled: list[Path]) -> None:
    first = probability(tiny)
    (kept,) = cache.glob("*.compiled")
    whole = kept.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        kept.write_bytes(damaged)
        assert read_compiled(kept.stem) is None
        assert probability(tiny) == first
        assert kept.read_bytes() == whole
    assert len(compiled) == 4


def test_a_cache_that_is_a_file_is_no_cache(
    tmp_path: Path, tiny: Path, compiled: list[Path]
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cxr_app").write_text("a file")
    assert probability(tiny) == probability(tiny)
    assert len(compiled) == 2


def test_many_that_want_the_same_compile_it_once(tiny: Path, compiled: list[Path]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(probability, [tiny] * 4))
    assert (len(compiled), len(found)) == (1, 1)


@pytest.mark.parametrize(
    ("found", "times"), [(packed({}), 1), (b"", 3)], ids=["never", "not this time"]
)
def test_only_what_can_never_be_compiled_is_tried_once(
    found: bytes, times: int, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def compile_in_vain(path: Path, _: float | None) -> bytes:
        tried.append(path)
        return found

    monkeypatch.setattr(compile_networks, "_compiled_elsewhere", compile_in_vain)
    for _ in range(3):
        with pytest.raises(SettingsError, match="Set CXR_RUNTIME=torch"):
            CompiledClassifier.load(tiny)
    assert tried == times * [tiny]


def test_a_network_that_needs_gradients_has_no_compiled_ones(tmp_path: Path) -> None:
    """Its heatmap is computed backwards, which OpenVINO cannot do."""
    path = write_ancestor(tmp_path / "ancestor.safetensors", "four_conv")
    assert unpacked(compile_networks._compiled_elsewhere(path, None)) == {}


def test_what_was_packed_is_read(cache: Path) -> None:
    programs = {"film": bytes(range(256)), "view": b"x"}
    keep_compiled("key", packed(programs))
    assert read_compiled("key") == programs
    assert [each.name for each in cache.iterdir()] == ["key.compiled"]


def test_old_networks_make_room(cache: Path) -> None:
    for number in range(MOST_KEPT + 3):
        keep_compiled(f"{number:02}", packed({"film": bytes([number])}))
        os.utime(cache / f"{number:02}.compiled", (number, number))
    assert len(list(cache.iterdir())) == MOST_KEPT
    assert read_compiled("00") is None
    assert read_compiled(f"{MOST_KEPT + 2:02}") == {"film": bytes([MOST_KEPT + 2])}


def test_every_fact_counts_in_the_key() -> None:
    keys = [key_of("ab", None), key_of("ab", 0.1), key_of("cd", None)]
    assert len(set(keys)) == len(keys)
    assert key_of("ab", None) == keys[0]
