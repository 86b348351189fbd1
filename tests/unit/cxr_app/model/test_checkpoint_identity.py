"""Which checkpoint a file is, asked again and again and read only if it has changed."""

from hashlib import sha256
from pathlib import Path

import pytest

from cxr_app.model import checkpoint, checkpoint_identity
from cxr_app.model.checkpoint_identity import CheckpointIdentity, identity_of
from tests.support.checkpoints import write_tiny


def test_a_file_that_was_replaced_is_another_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    for seed in (0, 1):
        loaded = checkpoint.load(write_tiny(path, seed))
        assert identity_of(path) == CheckpointIdentity(loaded.sha256, loaded.file_version)


def test_a_file_that_has_not_changed_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny(tmp_path / "checkpoint.safetensors")
    first = identity_of(path)
    monkeypatch.setattr(checkpoint_identity, "read_described", pytest.fail)
    assert identity_of(path) == first


def test_a_file_that_is_no_checkpoint_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    assert identity_of(path) == CheckpointIdentity("", "")
    path.write_bytes(b"damaged")
    assert identity_of(path) == CheckpointIdentity(sha256(b"damaged").hexdigest(), "")
