"""Several processes train the same network as one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.support.films import write_kaggle_folder
from tests.support.run_folder import epochs_of, metrics_of

RECIPE = """
architecture = "resnet18_two_scales"
batch_size = 15
learning_rate = 1e-5
stages = [
    {size = 48, epochs = 1, architecture = "resnet18"},
    {size = 48, epochs = 1, architecture = "resnet18_coarse"},
]
"""


def start(processes: int, *arguments: str, root: Path, data: Path) -> str:
    """Run a module or a script by torchrun, or by itself, and return its messages."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = {
        **os.environ,
        "CXR_DATA_DIR": str(data),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(root),
    }
    line = [sys.executable, *(launcher if processes > 1 else []), *arguments]
    done = subprocess.run(
        line, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_two_processes_give_the_gradients_of_one(project_root: Path, tmp_path: Path) -> None:
    for processes in (1, 2):
        out = str(tmp_path / f"{processes}.safetensors")
        start(processes, "tests/integration/gradients.py", out, root=project_root, data=tmp_path)

    alone, together = (load_file(tmp_path / f"{number}.safetensors") for number in (1, 2))
    assert alone.keys() == together.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-9, atol=1e-12)


def test_two_processes_give_the_figures_of_one(project_root: Path, tmp_path: Path) -> None:
    """Apart from rounding, which single precision and Adam make visible."""
    write_kaggle_folder(tmp_path / "films", 20)
    (tmp_path / "quick.toml").write_text(RECIPE)
    command = ["--data", str(tmp_path / "films"), "--recipe", str(tmp_path / "quick.toml")]
    command = ["-m", "training.train", *command, "--device", "cpu", "--exact"]

    for processes in (1, 2):
        out = ["--out", str(tmp_path / f"run{processes}")]
        messages = start(processes, *command, *out, root=project_root, data=tmp_path)

    assert messages.count("films: ") == 1  # from one process only
    alone, together = (epochs_of(tmp_path / f"run{number}") for number in (1, 2))
    assert [line["device"] for line in together] == ["CPU × 2"] * 2
    for expected, line in zip(alone, together, strict=True):
        assert line["train_loss"] == pytest.approx(expected["train_loss"], rel=0.01)
        assert line["tune_loss"] == pytest.approx(expected["tune_loss"], rel=0.01)
    figures = [metrics_of(tmp_path / f"run{n}") for n in (1, 2)]
    assert figures[0]["n"] == figures[1]["n"]
    assert figures[1]["brier"] == pytest.approx(figures[0]["brier"], abs=0.005)
