"""Counts of the pictures that the app refuses, by kind."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from training import rejections
from training.drawing import negatives
from training.drawing.phantom_films import draw_phantom, opacities_of
from training.view_network.refusal_counts import refusal_rows
from training.view_network.view_report import WRONG_VIEWS


def save(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(picture).save(path)
    return path


def test_every_kind_is_processed_and_counted(tmp_path: Path) -> None:
    checkpoint = Settings.model_fields["checkpoint"].default
    films = [
        save(
            np.rint(255 * draw_phantom(seed, 300, 260, opacities_of(seed))).astype(np.uint8),
            tmp_path / f"{seed}.png",
        )
        for seed in range(1, 7)
    ]
    rng = np.random.default_rng(0)
    others = [save(negatives.draw_picture(rng), tmp_path / f"drawn {n}.png") for n in range(6)]
    scorer = Scorer(Classifier.load(checkpoint, "cpu"))
    rows = {row[0]: row[1:] for row in refusal_rows(scorer, {"films": films}, {"drawn": others})}
    assert rows["films"][:2] == ("6", "0.000")
    assert all(rows[f"films, {view}"][0] == "6" for view in WRONG_VIEWS)
    assert float(rows["films, upside down"][1]) > 0.8
    assert "upside down" in rows["films, upside down"][3]
    assert "mirrored" in rows["films, mirrored"][3]
    assert rows["drawn"] == rows["drawn, in grey"]
    assert float(rows["drawn"][1]) > 0.8


def test_films_of_another_training_are_refused_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("NORMAL", "PNEUMONIA"):
        stem = "IM-0001-0001" if name == "NORMAL" else "person1_virus_1"
        save(np.zeros((200, 200), np.uint8), tmp_path / "train" / name / f"{stem}.jpeg")
    assert rejections.main(["--data", str(tmp_path)]) == 2
    assert "does not hold the films that the checkpoint was trained from" in capsys.readouterr().err
