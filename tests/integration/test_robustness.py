"""`training.robustness` from films to its table and its file."""

import json
from pathlib import Path

import numpy as np
import pytest

from cxr_app.model.networks.lung_unet import LUNG_SIDE
from tests.support.films import write_kaggle_folder
from training import robustness


def test_the_figures_have_the_lungs_beside_groups_and_shifts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    data, report = write_kaggle_folder(tmp_path / "films", 12), tmp_path / "report.json"
    names = [path.name for path in sorted(data.rglob("*.jp*g"))]
    bits = np.packbits(np.ones((len(names), LUNG_SIDE**2), bool), axis=1)
    np.savez(tmp_path / "lungs.npz", name=np.array(names), bits=bits)
    command = ["--data", str(data), "--json", str(report), "--films", "2", "--device", "cpu"]
    assert robustness.main([*command, "--outlines", str(tmp_path / "lungs.npz")]) == 0
    (whole, *_) = json.loads(report.read_text("utf-8"))["lungs"]
    assert (whole["name"], whole["n"]) == ("all", len(names))
    assert 0 <= whole["dice_worst_twentieth"] <= whole["dice"] <= 1
    assert "Dice" in capsys.readouterr().out


def test_outlines_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    command = ["--data", str(tmp_path), "--outlines", str(tmp_path / "lungs.npz")]
    assert robustness.main(command) == 2
    assert "lungs.npz" in capsys.readouterr().err
