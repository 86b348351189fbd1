from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import TrainingDataError
from tests.support.films import write_manifest
from training.data.dataset import find_films, pixel_digests


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize(
    ("name", "cause", "patient_id"),
    [
        ("train/PNEUMONIA/person12_bacteria_47.jpeg", "bacterial", "person12_bacterial"),
        ("train/PNEUMONIA/person12_virus_33.jpeg", "viral", "person12_viral"),  # another person
        ("val/NORMAL/IM-0115-0001.jpeg", "", "IM-0115"),
        ("val/NORMAL/NORMAL2-IM-0592-0001.jpeg", "", "NORMAL2-IM-0592"),  # another series
        ("test/NORMAL/IM-0003-0001-0002.jpeg", "", "IM-0003"),  # second film of one child
        ("NORMAL/some film.png", "", "some film"),
    ],
)
def test_cause_patient_and_partition_are_read_from_the_name(
    tmp_path: Path, name: str, cause: str, patient_id: str
) -> None:
    (film,) = find_films(touch(tmp_path, name))

    assert (film.cause, film.patient_id) == (cause, patient_id)
    assert film.target == ("PNEUMONIA" if cause else "NORMAL")
    assert film.partition == (name.split("/")[0] if name.count("/") > 1 else "")


def test_other_files_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "NORMAL/IM-0001-0001.jpeg", "NORMAL/Thumbs.db", "notes/readme.jpeg")

    assert len(find_films(tmp_path)) == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "holds no films"),
        (["PNEUMONIA/patient7.jpeg"], "contains no cause"),
    ],
)
def test_an_unusable_folder_is_refused_with_the_reason(
    tmp_path: Path, names: list[str], expected: str
) -> None:
    with pytest.raises(TrainingDataError, match=expected):
        find_films(touch(tmp_path, *names))


def test_a_manifest_labels_films_with_any_name(tmp_path: Path) -> None:
    row = {"path": "a.dcm", "target": "PNEUMONIA", "cause": "viral", "patient_id": "7"}

    (film,) = find_films(write_manifest(tmp_path / "m.csv", [{**row, "partition": "train"}]))

    assert film.path == tmp_path / "a.dcm"
    assert (film.cause, film.patient_id, film.partition) == ("viral", "7", "train")
    assert film.class_index == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"target": "SICK"}, "line 2: target 'SICK'"),
        ({"cause": "fungal"}, "line 2"),  # no cause that this program knows
        ({"boxes": "1 2 3"}, "line 2: boxes"),
        ({"boxes": "1 2 0 4"}, "line 2: the box"),
        ({"target": "NORMAL"}, "line 2"),  # a normal film with a cause
        ({"patient_id": ""}, "line 2 has no patient_id"),
    ],
)
def test_an_impossible_line_of_a_manifest_is_named(
    tmp_path: Path, change: dict[str, str], expected: str
) -> None:
    row = {"path": "a", "target": "PNEUMONIA", "cause": "viral", "patient_id": "7", "partition": ""}

    with pytest.raises(TrainingDataError, match=expected):
        find_films(write_manifest(tmp_path / "m.csv", [row | change]))


def test_a_patient_in_two_partitions_of_a_manifest_is_refused(tmp_path: Path) -> None:
    row = {"path": "a", "target": "NORMAL", "cause": "", "patient_id": "Doe^Jane"}
    rows = [row | {"partition": "train"}, row | {"patient_id": "8", "partition": "test"}]
    rows.append(row | {"path": "c", "partition": "test"})

    with pytest.raises(TrainingDataError, match=r"lines 2 and 4.*'train' and 'test'") as expected:
        find_films(write_manifest(tmp_path / "m.csv", rows))

    assert "Doe" not in str(expected.value)


def test_a_manifest_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,target\na,NORMAL\n")

    with pytest.raises(TrainingDataError, match="cause, partition, patient_id"):
        find_films(tmp_path / "m.csv")


def test_the_published_films_are_all_found(shared_data: Path) -> None:
    films = find_films(shared_data / "chest_xray")

    assert len(films) == 5232
    assert sum(film.target == "NORMAL" for film in films) == 1349
    assert {film.partition for film in films} == {"train", "val"}


def test_copies_have_the_same_digest() -> None:
    films = np.zeros((3, 4, 4), dtype=np.uint8)
    films[2, 0, 0] = 1

    first, second, third = pixel_digests(films)

    assert first == second != third
