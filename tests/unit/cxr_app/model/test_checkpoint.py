import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from cxr_app.errors import CheckpointMismatchError, CheckpointNotFoundError
from cxr_app.model import checkpoint, networks
from tests.support.checkpoints import describe, write_tiny


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    torch.manual_seed(3)
    weights = checkpoint.rounded(networks.build("resnet18"))

    sha256 = checkpoint.save(tmp_path / "a.safetensors", weights, describe())
    loaded = checkpoint.load(tmp_path / "a.safetensors")

    assert loaded.sha256 == sha256
    assert loaded.model_version == f"tiny-{sha256[:8]}"
    assert loaded.description == describe()
    assert all(torch.equal(loaded.weights[name], weights[name]) for name in weights)


def test_storing_changes_no_logit_by_more_than_a_hundredth() -> None:
    torch.manual_seed(0)
    original = networks.build("resnet18").eval()
    stored = networks.build("resnet18").eval()
    checkpoint.fill(stored, checkpoint.rounded(original))
    films = torch.rand(4, 1, 64, 64)

    with torch.inference_mode():
        assert float((original(films) - stored(films)).abs().max()) < 0.01


def test_a_missing_file_says_which_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError, match="CXR_CHECKPOINT"):
        checkpoint.load(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize(
    "content",
    [
        b"",  # nothing
        b"<!DOCTYPE html>",  # a download that was a log-in page
        b"\x80\x04\x95 a pickle",
        save({"a": torch.zeros(2)}),  # weights that do not describe themselves
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(content)

    with pytest.raises(CheckpointMismatchError, match=r"wrong\.safetensors"):
        checkpoint.load(path)


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "whole.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(CheckpointMismatchError, match="whole"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("format_version", 2, "format version 2"),
        ("classes", ["healthy", "ill"], "classes"),
        ("operating_points", {}, "operating points"),
        ("temperature", 0.0, "temperature"),
        ("heat_scale", None, "describe itself"),
    ],
)
def test_a_description_that_cannot_be_used_is_named(
    tmp_path: Path, key: str, value: object, answer: str
) -> None:
    document = json.loads(_metadata(tmp_path))
    document[key] = value
    content = save({"a": torch.zeros(1)}, metadata={"description": json.dumps(document)})
    (tmp_path / "odd.safetensors").write_bytes(content)

    with pytest.raises(CheckpointMismatchError, match=answer):
        checkpoint.load(tmp_path / "odd.safetensors")


def _metadata(folder: Path) -> str:
    """The description of a sound checkpoint, as it stands in the file."""
    checkpoint.save(folder / "sound.safetensors", {"a": torch.zeros(1)}, describe())
    content = (folder / "sound.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description: str = header["__metadata__"]["description"]
    return description
