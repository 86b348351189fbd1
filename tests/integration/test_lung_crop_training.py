"""A lung-crop network from films to a checkpoint that scores, resumed on the way."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from cxr_app.imaging.intake import read_radiograph
from cxr_app.model.classifier import Classifier
from cxr_app.model.description import read_described
from cxr_app.model.lung_box import WHOLE_FILM
from tests.support.films import write_kaggle_folder
from training import train
from training.fit.crop_training import member
from training.fit.crop_training.lesson_data import LessonData

RECIPE = """
architecture = "crop_and_film"
batch_size = 16
learning_rate = 1e-3
label_smoothing = 0.03
initialisation = "imagenet"

[[stages]]
size = 64
epochs = 1
"""


@pytest.fixture
def adults(tmp_path: Path) -> Path:
    """Write drawn adults' films with labels and a box."""
    folder = tmp_path / "adults"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(12):
        grey = np.random.default_rng(number).integers(0, 255, (80, 80)).astype(np.uint8)
        PillowImage.fromarray(grey).resize((320, 320)).save(folder / "images" / f"{number}.png")
        sick = number % 2 == 1
        rows.append(
            {
                "image": f"{number}.png",
                "patient": str(number),
                "age": "50",
                "sex": "M",
                "view": "AP" if number % 3 else "PA",
                "rsna_class": "Lung Opacity" if sick else "Normal",
                "rsna_boxes": "40 60 80 90" if sick else "",
                "nih_labels": "No Finding",
            }
        )
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_killed_run_resumes_and_ends_in_a_checkpoint(
    tmp_path: Path, adults: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    data, out = write_kaggle_folder(tmp_path / "films", 24), tmp_path / "run"
    command = ["--data", str(data), "--adults", str(adults), "--recipe", str(recipe)]
    command += ["--out", str(out), "--device", "cpu"]

    fit = member.fit_member
    learned_from: list[LessonData] = []

    def fails_at_second(lessons: LessonData, run: member.MemberRun) -> object:
        learned_from.append(lessons)
        if len(learned_from) == 2:
            raise KeyboardInterrupt
        return fit(lessons, run)

    monkeypatch.setattr("training.fit.crop_training.crop_run.fit_member", fails_at_second)
    with pytest.raises(KeyboardInterrupt):
        train.main(command)
    assert (learned_from[1].boxes == WHOLE_FILM).all()
    first = (out / "member_0" / "average.safetensors").read_bytes()
    monkeypatch.setattr("training.fit.crop_training.crop_run.fit_member", fit)
    assert train.main(command) == 0

    assert (out / "member_0" / "average.safetensors").read_bytes() == first
    lines = (out / "epochs.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    classifier = Classifier.load(out / "checkpoint.safetensors", "cpu")
    film = next((tmp_path / "films").rglob("*.jp*g"))
    grey = read_radiograph(film.read_bytes()).image
    (prediction,) = classifier.predict([classifier.prepare(grey)])
    assert 0 <= prediction.pneumonia_probability <= 1
    assert prediction.lungs is not None
    assert prediction.activation_map.shape == (28, 28)


def test_films_kept_for_testing_change_no_figure_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    data = write_kaggle_folder(tmp_path / "films", 24)
    found = []
    for name in ("without", "with"):
        out = tmp_path / name
        command = ["--data", str(data), "--recipe", str(recipe), "--out", str(out)]
        assert train.main([*command, "--device", "cpu"]) == 0
        description = read_described(out / "checkpoint.safetensors").description
        scores = (out / "checkpoint.scores.json").read_text(encoding="utf-8")
        metrics = {**description.metrics, "model_version": ""}
        found.append((description.data_summary, metrics, json.loads(scores)["films"]))
        keep_for_testing(data, 6)
    assert found[0] == found[1]


def keep_for_testing(data: Path, patients: int) -> None:
    """Add films of a ``test`` partition, which come before the others in the folder's order."""
    elsewhere = write_kaggle_folder(data.parent / "more", patients)
    for path in elsewhere.rglob("*.jpeg"):
        folder = data / "test" / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        upside_down = PillowImage.open(path).transpose(PillowImage.Transpose.ROTATE_180)
        upside_down.save(folder / path.name.replace("person", "person9").replace("IM-", "IM-9"))
