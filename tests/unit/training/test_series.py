"""A manifest whose test partition is one series of normal films, or one acquisition group."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cxr_app.errors import TrainingDataError
from training import series
from training.data.dataset import LabelledFilm, find_films
from training.data.series_holdout import without_groups

NAMES = (
    *(f"NORMAL/IM-{number:04d}-0001.jpeg" for number in range(5)),
    *(f"NORMAL/NORMAL2-IM-{number:04d}-0001.jpeg" for number in range(7)),
    *(f"PNEUMONIA/person{number % 40}_bacteria_{number}.jpeg" for number in range(80)),
    *(f"PNEUMONIA/person{number}_virus_{number}.jpeg" for number in range(40)),
)
TARGETS = ("NORMAL", "PNEUMONIA")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "films"


def test_the_series_and_some_patients_with_pneumonia_are_kept(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "manifests" / "kept.csv"

    assert series.main(["--data", str(data), "--keep", "NORMAL2", "--out", str(out)]) == 0

    films = find_films(out)  # refuses a patient in two partitions
    assert {film.path.resolve() for film in films} == {(data / name).resolve() for name in NAMES}
    kept = [film for film in films if film.partition == "test"]
    assert sum(film.target == "NORMAL" for film in kept) == 7
    assert all("NORMAL2" in film.path.name for film in kept if film.target == "NORMAL")
    patients = {film.patient_id for film in films if film.target == "PNEUMONIA"}
    drawn = {film.patient_id for film in kept if film.target == "PNEUMONIA"}
    assert 4 <= len(drawn) <= len(patients) / 2
    with out.open(newline="") as file:
        assert not any(row["path"].startswith("/") for row in csv.DictReader(file))


@pytest.mark.parametrize("prefix", ["", "CT"])
def test_a_series_of_no_or_all_normal_films_is_refused(
    data: Path, tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "kept.csv"

    assert series.main(["--data", str(data), "--keep", prefix, "--out", str(out)]) == 2

    assert not out.exists()
    assert "a series is some of them" in capsys.readouterr().err


@given(
    groups=st.lists(st.sampled_from("abcd"), min_size=12, max_size=30),
    patients=st.lists(st.integers(0, 9), min_size=30, max_size=30),
    sick=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_no_patient_of_a_tested_group_is_learned_from(
    groups: list[str], patients: list[int], sick: list[bool]
) -> None:
    films = [
        LabelledFilm(Path(str(at)), TARGETS[ill], "virus" if ill else "", str(patient), "")
        for at, (patient, ill, _) in enumerate(zip(patients, sick, groups, strict=False))
    ]
    try:
        partitions = without_groups(films, groups, ["a", "b"])
    except TrainingDataError:
        return  # one class is missing on one side
    tested = {film.patient_id for film, group in zip(films, groups, strict=True) if group in "ab"}
    for film, group, partition in zip(films, groups, partitions, strict=True):
        assert (partition == "test") == (group in "ab")
        assert (partition == "train") == (film.patient_id not in tested)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films of two machines: one leaves black margins, the other makes pale pictures."""
    folder = tmp_path_factory.mktemp("machines")
    chance = np.random.default_rng(0)
    for number in range(220):
        pixels = 80 + chance.integers(0, 20, (4, 4)).repeat(32, axis=0).repeat(32, axis=1)
        if number % 2:
            pixels[:16] = pixels[-16:] = 0
        else:
            pixels += 90
        name = f"PNEUMONIA/person{number}_virus_{number}" if number % 4 < 2 else f"NORMAL/{number}"
        path = folder / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        PillowImage.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


def test_a_group_is_held_out_by_the_name_that_the_refusal_gives(
    machines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "kept.csv"
    command = ["--data", str(machines), "--out", str(out), "--group"]
    assert series.main([*command, "no such group"]) == 2
    name = capsys.readouterr().err.split("groups here: ")[1].split(";")[0].strip(" .\n")

    assert series.main([*command, name]) == 0

    films = find_films(out)
    assert len(films) == 220
    made_by = {
        partition: {
            int(film.path.stem.split("_")[-1]) % 2 for film in films if film.partition == partition
        }
        for partition in ("test", "train")
    }
    assert len(made_by["test"]) == 1
    assert made_by["test"].isdisjoint(made_by["train"])
