"""What was compiled is read back only for the same weights, and only whole."""

import os
from pathlib import Path

import pytest

from cxr_app.model.compiled_classifier import CompiledClassifier
from cxr_app.model.compiled_networks import MOST_KEPT, keep_compiled, key_of, packed, read_compiled
from tests.support.checkpoints import write_tiny
from tests.unit.cxr_app.model.test_classifier import films


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cxr_app" / "networks"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.safetensors")


def probability(path: Path) -> float:
    classifier = CompiledClassifier.load(path)
    (prediction,) = classifier.predict([classifier.prepare(films(1)[0])])
    return prediction.pneumonia_probability


def test_networks_are_compiled_once_and_those_of_another_file_again(
    cache: Path, tiny: Path, tmp_path: Path
) -> None:
    first = probability(tiny)
    (kept,) = cache.iterdir()
    written = kept.stat().st_mtime_ns
    assert probability(tiny) == first
    assert kept.stat().st_mtime_ns == written
    probability(write_tiny(tmp_path / "other.safetensors", threshold=0.25))
    assert len(list(cache.iterdir())) == 2


def test_a_damaged_file_is_compiled_again(cache: Path, tiny: Path) -> None:
    first = probability(tiny)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        kept.write_bytes(damaged)
        assert read_compiled(kept.stem) is None
    assert probability(tiny) == first
    assert kept.read_bytes()[:32] == whole[:32]


def test_a_cache_that_is_a_file_is_no_cache(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cxr_app").write_text("a file")
    assert 0 < probability(tiny) < 1


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
