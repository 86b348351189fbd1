"""Training and held-out films: chosen by patient, the same every time, never tested films."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import TrainingDataError
from tests.support.films import write_manifest
from training.data.dataset import LabelledFilm, find_reviewed
from training.data.holdout import (
    FilmHistory,
    HoldoutFilm,
    Side,
    divide,
    read_candidates,
    read_side,
    without_copies,
    write_films,
)
from training.data.tested_films import UsedFilms

SHA256S = [f"{number:064x}" for number in range(12)]
NAMES = [f"{number * 7919:016x}" for number in range(6)]

candidates = st.lists(
    st.builds(
        lambda sha256, patient, partition: HoldoutFilm(
            LabelledFilm(Path("/f") / sha256, "NORMAL", "", patient, partition), sha256
        ),
        st.sampled_from(SHA256S),
        st.sampled_from(NAMES),
        st.sampled_from(["", "train", "test"]),
    ),
    max_size=20,
)
some = st.frozensets(st.sampled_from(SHA256S))
histories = st.builds(FilmHistory, some, some, some, some)


def normal(path: Path, patient_id: str = "p", partition: str = "") -> LabelledFilm:
    return LabelledFilm(path, "NORMAL", "", patient_id, partition)


def film(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@given(candidates, histories, st.lists(st.sampled_from("abc"), min_size=20, max_size=20))
def test_no_tested_film_is_used_and_no_patient_is_on_two_sides(
    found: list[HoldoutFilm], history: FilmHistory, pixels: list[str]
) -> None:
    digests = [one.sha256 + pixels[0] for one in found]
    sides = divide(found, digests, history)
    of_patient: dict[str, Side] = {}
    for one, side in zip(found, sides, strict=True):
        assert of_patient.setdefault(one.film.patient_id, side) is side
        if side is Side.LEARN:
            assert one.sha256 not in history.tested | history.compared
            assert one.film.partition != "test"


@given(candidates, candidates)
def test_a_patient_stays_on_one_side_when_films_are_added(
    found: list[HoldoutFilm], more: list[HoldoutFilm]
) -> None:
    alone = [one for one in found if one.film.partition != "test"]
    known = {one.film.patient_id for one in alone}
    added = [one for one in more if one.film.patient_id not in known]

    def sides(films: list[HoldoutFilm]) -> list[Side]:
        return divide(
            films, [f"{one.film.patient_id} {one.sha256}" for one in films], FilmHistory()
        )

    assert sides([*alone, *added])[: len(alone)] == sides(alone)


def many(patients: int) -> list[HoldoutFilm]:
    """Return a film of each patient, every other one with pneumonia."""
    kinds = (("NORMAL", ""), ("PNEUMONIA", "viral"))
    names = [f"{number * 2654435761 % 2**32:08x}" for number in range(patients)]
    return [
        HoldoutFilm(LabelledFilm(Path(f"/{name}"), *kinds[number % 2], name, ""), name)
        for number, name in enumerate(names)
    ]


def test_two_patients_in_five_are_held_out_where_one_would_leave_few_films() -> None:
    def held_out(films: list[HoldoutFilm]) -> set[str]:
        sides = divide(films, [one.sha256 for one in films], FilmHistory())
        return {one.sha256 for one, side in zip(films, sides, strict=True) if side is Side.COMPARE}

    few, enough = many(400), many(1500)
    assert len(held_out(few)) == pytest.approx(400 * 2 / 5, rel=0.1)
    assert len(held_out(enough)) == pytest.approx(1500 / 5, rel=0.1)
    known = {one.sha256 for one in few}
    assert held_out(enough) & known < held_out(few)


def test_films_the_model_in_use_was_trained_on_are_trained_on_and_unseen_ones_held_out() -> None:
    found = [
        HoldoutFilm(normal(Path(f"/{number}"), name), SHA256S[number])
        for number, name in enumerate(NAMES)
    ]
    history = FilmHistory(learned=set(SHA256S[:3]), unseen=set(SHA256S[3:]))
    sides = divide(found, SHA256S[: len(found)], history)
    assert sides == [Side.LEARN] * 3 + [Side.COMPARE] * 3


def test_the_same_file_in_two_sources_joins_the_patients_and_is_kept_once(
    tmp_path: Path,
) -> None:
    first = [normal(film(tmp_path, "a/1", "one"), "anna"), normal(film(tmp_path, "a/2", "two"))]
    second = [normal(film(tmp_path, "b/1", "one"), "A-17"), normal(film(tmp_path, "b/3", "3"))]
    found = read_candidates([first, second])
    assert found[0].film.patient_id == found[2].film.patient_id
    assert found[1].film.patient_id == found[3].film.patient_id  # both are "p"
    assert found[0].film.patient_id != found[1].film.patient_id
    kept, left_out = without_copies(found)
    assert (len(kept), left_out) == (3, {"contradicting": 0, "copies": 1})
    assert "anna" not in str(kept)


def test_a_copy_of_a_test_film_is_a_test_film_and_contradictions_are_left_out(
    tmp_path: Path,
) -> None:
    one, two = film(tmp_path, "1", "one"), film(tmp_path, "2", "one")
    kept, _ = without_copies(read_candidates([[normal(one)], [normal(two, partition="test")]]))
    assert [each.film.partition for each in kept] == ["test"]
    sick = LabelledFilm(two, "PNEUMONIA", "viral", "p", "")
    left_out = {"contradicting": 1, "copies": 1}
    assert without_copies(read_candidates([[normal(one)], [sick]])) == ([], left_out)


def test_a_patient_number_of_a_test_partition_is_another_child(tmp_path: Path) -> None:
    paths = [film(tmp_path, str(number), str(number)) for number in range(2)]
    found = read_candidates([[normal(paths[0], "person1"), normal(paths[1], "person1", "test")]])
    assert found[0].film.patient_id != found[1].film.patient_id


def test_a_missing_film_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"gone\.jpeg"):
        read_candidates([[normal(tmp_path / "gone.jpeg")]])


def test_written_sides_are_read_back(tmp_path: Path) -> None:
    found = [
        HoldoutFilm(LabelledFilm(Path("/a"), "PNEUMONIA", "viral", NAMES[0], ""), SHA256S[0]),
        HoldoutFilm(normal(Path("/b"), NAMES[1]), SHA256S[1]),
    ]
    write_films(tmp_path / "films.csv", found, [Side.COMPARE, Side.LEARN])
    assert read_side(tmp_path / "films.csv", Side.COMPARE) == found[:1]
    assert read_side(tmp_path / "films.csv", Side.LEARN) == found[1:]


def test_tested_films_are_listed_by_use(tmp_path: Path) -> None:
    tested = UsedFilms(tmp_path / "data")
    assert tested.films("test") == set()
    tested.add("test", SHA256S[:2])
    tested.add("test", SHA256S[1:3])
    tested.add("compared", SHA256S[2:4])
    assert tested.films("test") == set(SHA256S[:3])
    assert tested.films("compared") == set(SHA256S[2:4])
    assert len((tmp_path / "data" / "used_films.txt").read_text().splitlines()) == 5


def test_a_reviewed_pneumonia_without_a_cause_is_counted_and_left_out(tmp_path: Path) -> None:
    row = {"path": "1", "target": "PNEUMONIA", "cause": "", "patient_id": "p", "partition": ""}
    page_text = [row, row | {"cause": "viral"}, row | {"target": "NORMAL"}]
    films, without_cause = find_reviewed(write_manifest(tmp_path / "reviewed.csv", page_text))
    assert [each.target for each in films] == ["PNEUMONIA", "NORMAL"]
    assert without_cause == 1
