"""A manifest whose test partition is one series of normal films."""

import csv
from pathlib import Path

import pytest

from training import series
from training.data.dataset import find_films

NAMES = (
    *(f"NORMAL/IM-{number:04d}-0001.jpeg" for number in range(5)),
    *(f"NORMAL/NORMAL2-IM-{number:04d}-0001.jpeg" for number in range(7)),
    *(f"PNEUMONIA/person{number % 40}_bacteria_{number}.jpeg" for number in range(80)),
    *(f"PNEUMONIA/person{number}_virus_{number}.jpeg" for number in range(40)),
)


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
