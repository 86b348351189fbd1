from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_app.errors import TrainingDataError
from training.data.dataset import LabelledFilm
from training.data.splits import group_by_patient, split


def film(number: int, cause: str, patient: str, partition: str = "train") -> LabelledFilm:
    target = "PNEUMONIA" if cause else "NORMAL"
    return LabelledFilm(Path(f"{number}.jpeg"), target, cause, patient, partition)


def films_of(patients: int, films_each: int = 2) -> list[LabelledFilm]:
    return [
        film(number, cause, f"{cause}{number // films_each}")
        for cause in ("", "bacterial", "viral")
        for number in range(patients * films_each)
    ]


@settings(max_examples=20, deadline=None)
@given(patients=st.integers(10, 30), films_each=st.integers(1, 4), seed=st.integers(0, 100))
def test_every_film_is_used_once_and_no_patient_twice(
    patients: int, films_each: int, seed: int
) -> None:
    films = films_of(patients, films_each)

    parts = split(films, [str(number) for number in range(len(films))], seed)

    used = [*parts.train, *parts.tune, *parts.validation]
    assert sorted(used) == list(range(len(films)))
    people = [{films[i].patient_id for i in part} for part in (parts.train, parts.tune)]
    people.append({films[i].patient_id for i in parts.validation})
    assert not people[0] & people[1]
    assert not people[0] & people[2]
    assert not people[1] & people[2]


def test_the_same_seed_gives_the_same_split() -> None:
    films = films_of(20)
    digests = [str(number) for number in range(len(films))]

    first, second, other = (split(films, digests, seed) for seed in (1, 1, 2))

    assert list(first.validation) == list(second.validation)
    assert list(first.validation) != list(other.validation)


def test_identical_pixels_are_in_one_part() -> None:
    films = films_of(20)
    digests = ["copy" if number % 7 == 0 else str(number) for number in range(len(films))]

    parts = split(films, digests, seed=0)

    for part in (parts.train, parts.tune, parts.validation):
        copies = {number for number in part if number % 7 == 0}
        assert copies in (set(), {n for n in range(len(films)) if n % 7 == 0})


def test_patients_joined_by_a_copy_stay_together() -> None:
    films = [film(0, "", "a"), film(1, "", "b"), film(2, "", "b"), film(3, "", "c")]

    assert group_by_patient(films, ["x", "x", "y", "z"]) == [0, 0, 0, 1]


def test_the_test_partition_is_never_trained_on() -> None:
    films = [*films_of(12), *(film(900 + n, "viral", f"t{n}", "test") for n in range(20))]

    parts = split(films, [str(number) for number in range(len(films))], seed=0)

    used = [*parts.train, *parts.tune, *parts.validation]
    assert all(films[number].partition != "test" for number in used)


def test_an_empty_class_is_named() -> None:
    films = [one for one in films_of(12) if one.cause != "viral"]

    with pytest.raises(TrainingDataError, match="'viral' is empty"):
        split(films, [str(number) for number in range(len(films))], seed=0)


def test_a_class_with_too_few_films_is_named() -> None:
    films = [*films_of(12, films_each=1), *(film(n, "viral", "one") for n in range(90, 95))]
    films = [one for one in films if one.cause != "viral" or one.patient_id == "one"]

    with pytest.raises(TrainingDataError, match="'viral' has 5 films of 1 patients"):
        split(films, [str(number) for number in range(len(films))], seed=0)


def test_identical_pixels_in_two_partitions_are_refused_by_name() -> None:
    films = [*films_of(12), film(900, "viral", "other", "test")]
    digests = [str(number) for number in range(len(films))]
    digests[-1] = digests[3]

    with pytest.raises(TrainingDataError, match=r"3\.jpeg in .*'train'.*900\.jpeg in 'test'"):
        split(films, digests, seed=0)


def test_films_of_the_test_partition_do_not_change_the_parts() -> None:
    films = films_of(12)
    opened = [*films, *(film(900 + n, "viral", f"t{n}", "test") for n in range(20))]

    without, beside = (
        split(some, [str(number) for number in range(len(some))], seed=0)
        for some in (films, opened)
    )

    for part in ("train", "tune", "validation"):
        assert list(getattr(without, part)) == list(getattr(beside, part))
