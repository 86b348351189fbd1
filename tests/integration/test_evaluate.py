"""Both reports of `training.evaluate`, on checkpoints with random weights and drawn films."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.operating_curve import OperatingCurve
from tests.support.checkpoints import write_ancestor, write_tiny
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.films import write_kaggle_folder, write_manifest
from training import evaluate
from training.explain.perturbations import DISTURBANCES, SHORTCUTS
from training.explain.randomisation import PARTS

PATIENTS = 6


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle_folder(tmp_path_factory.mktemp("films"), PATIENTS)


@pytest.fixture(scope="module")
def at_length(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report with all optional parts."""
    folder = tmp_path_factory.mktemp("at-length")
    first, second = (write_tiny(folder / f"{seed}.safetensors", seed) for seed in (0, 1))
    extras = ["--against", str(second), "--prevalence", "0.1", "--shortcuts", "--explain"]
    assert run(films, first, folder, *extras, "--films", "2") == 0
    return folder


def run(data: Path, checkpoint: Path, folder: Path, *extras: str) -> int:
    return evaluate.main(
        [
            *("--data", str(data), "--checkpoint", str(checkpoint), "--device", "cpu"),
            *("--json", str(folder / "report.json"), *extras),
        ]
    )


def report_in(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return document


def test_nothing_is_measured_if_the_report_cannot_be_written(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = write_tiny(tmp_path / "tiny.safetensors", 0)

    assert run(films, checkpoint, checkpoint) == 2

    assert "report.json cannot be written" in capsys.readouterr().err


def test_the_report_has_every_requested_part(at_length: Path) -> None:
    report = report_in(at_length)

    assert report["operating_points"][0]["prevalence"] == 0.1
    assert report["comparison"]["against"].startswith("tiny-")
    assert [entry["change"] for entry in report["shortcuts"]] == list(SHORTCUTS)
    assert all(entry["n"] == 3 * PATIENTS for entry in report["shortcuts"])
    explanation = report["explanation"]
    assert (explanation["method"], explanation["films"]) == ("one-pass", 2)
    assert [entry["part"] for entry in explanation["weight_randomisation"]] == list(PARTS)
    stability = {entry["change"]: entry for entry in explanation["stability"]}
    assert stability.keys() == DISTURBANCES.keys()
    for entry in stability.values():
        assert 0 <= entry["score_largest_change"] <= 1
        assert -1 <= entry["map_least_similarity"] <= 1
    for kind in ("deletion", "insertion"):
        maps = explanation["faithfulness"][kind]
        assert [entry["map"] for entry in maps] == ["heatmap", "random", "centred blob"]
    for half in explanation["half_films"]:
        assert half["films"] % 2 == 0
        assert 0 <= half["with_heat"] <= half["films"]


def test_wrong_films_are_listed_with_the_most_wrong_first(at_length: Path) -> None:
    report = report_in(at_length)

    wrong = report["most_wrong"]
    counts = report["operating_points"][0]["counts"]
    assert len(wrong["missed"]) == min(12, counts["false_negative"])
    assert len(wrong["falsely_flagged"]) == min(12, counts["false_positive"])
    probabilities = [film["probability"] for film in wrong["falsely_flagged"]]
    assert probabilities == sorted(probabilities, reverse=True)
    page = (at_length / "report.html").read_text()
    pictures = 2 * (len(wrong["missed"]) + len(wrong["falsely_flagged"]))
    assert page.count("data:image/jpeg;base64,") == pictures


def test_the_page_needs_no_other_file_and_is_small(at_length: Path) -> None:
    page = (at_length / "report.html").read_text()

    beside_plotly = page.replace(page.split("<script>", 1)[1].split("</script>", 1)[0], "")
    assert 'src="http' not in beside_plotly
    assert "<link" not in beside_plotly
    assert "default-src 'none'" in beside_plotly
    assert len(beside_plotly) < 1_500_000


def test_a_network_without_causes_is_measured_too(films: Path, tmp_path: Path) -> None:
    ancestor = write_ancestor(tmp_path / "a.safetensors", "four_conv")

    assert run(films, ancestor, tmp_path) == 0

    report = report_in(tmp_path)
    assert report["bacterial_vs_viral_auroc"] is None
    assert report["auroc"] is not None


def test_no_patient_is_on_the_page(films: Path, tmp_path: Path) -> None:
    header: dict[str, Any] = {"PatientName": "Vexley^Maud", "PatientAge": "003Y"}
    rows = []
    for number, target in enumerate(["NORMAL"] * 3 + ["PNEUMONIA"] * 3):
        name = f"vexley_maud_{number}.dcm"
        dataset = radiograph_dataset(BurnedInAnnotation="YES" if number == 0 else "NO", **header)
        (tmp_path / name).write_bytes(dicom_bytes(dataset))
        cause = "viral" if target == "PNEUMONIA" else ""
        row = {"path": name, "target": target, "cause": cause, "patient_id": f"MRN-{number}"}
        rows.append(row | {"partition": ""})
    manifest = write_manifest(tmp_path / "films.csv", rows)
    checkpoint = write_tiny(tmp_path / "0.safetensors", threshold=0.01)

    scores = tmp_path / "films.scores.json"
    assert run(manifest, checkpoint, tmp_path, "--scores", str(scores)) == 0

    page = (tmp_path / "report.html").read_text()
    for text in (page, scores.read_text()):
        assert not any(word in text for word in ("Vexley", "vexley", "Maud", "MRN-"))
    assert page.count("Not shown:") == 1  # its header says that text is burned in
    assert {group["group"] for group in report_in(tmp_path)["subgroups"]} >= {"1 to 5 years"}


def test_the_scores_are_those_of_the_report(films: Path, tmp_path: Path) -> None:
    checkpoint, path = write_tiny(tmp_path / "0.safetensors"), tmp_path / "0.scores.json"

    assert run(films, checkpoint, tmp_path, "--scores", str(path)) == 0

    report = report_in(tmp_path)
    curve = OperatingCurve.of(reference_scores.read(path, report["model_version"]))
    found = curve.at(report["threshold"])
    assert curve.auroc.value == pytest.approx(report["auroc"])
    assert found.sensitivity.value == pytest.approx(report["sensitivity"])
    assert found.specificity.value == pytest.approx(report["specificity"])
    assert curve.calibration_error.value == pytest.approx(report["ece"], abs=1e-6)
    assert len(set(curve.scores.patients)) == report["n_patients"]
    assert (curve.scores.data, curve.scores.partition) == (films.name, "all")


def test_evaluate_opens_the_test_partition(films: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(films / "train", data / "train")
    shutil.copytree(films / "train", data / "test")
    for number, path in enumerate(sorted((data / "test").glob("*/*"))):
        if number % 2:
            path.unlink()

    checkpoint = write_tiny(tmp_path / "0.safetensors")
    assert run(data, checkpoint, tmp_path, "--partition", "test") == 0

    report = report_in(tmp_path)
    assert (report["n"], report["partition"]) == (3 * PATIENTS / 2, "test")


@pytest.mark.parametrize("share", ["0", "1", "1.5", "many"])
def test_an_impossible_prevalence_is_refused(
    share: str, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(films, tmp_path / "none.safetensors", tmp_path, "--prevalence", share)
    assert "--prevalence" in capsys.readouterr().err


def test_the_json_report_must_not_have_the_name_of_the_page(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(films), "--json", str(tmp_path / "report.html")]

    assert evaluate.main(options) == 2
    assert "Give a .json file" in capsys.readouterr().err
