import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from cxr_app.model.classifier import Classifier
from cxr_app.prediction import OperatingPoint, Prediction
from tests.support.machines import acquired as write_films
from training.acquisition.acquired import Acquired
from training.data.dataset import LabelledFilm
from training.measure.judge import (
    acquire,
    by_group,
    by_name,
    compare_groups,
    judge,
    table,
    worst,
)
from training.measure.predictions import FilmDetails, Predictions


class Stub(Classifier):
    """A classifier by a rule on the film."""

    def __init__(self, rule: Callable[[np.ndarray], float]) -> None:
        self._rule = rule

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        return {"balanced": OperatingPoint("balanced", 0.5, 0.9, 0.9)}

    def prepare(self, image: np.ndarray) -> np.ndarray:
        return image

    def predict(self, inputs: Sequence[np.ndarray]) -> list[Prediction]:
        return [
            Prediction(p / 2, p / 2, np.zeros((1, 1), np.float32), "stub")
            for p in (float(self._rule(image)) for image in inputs)
        ]


def reads_the_machine(image: np.ndarray) -> float:
    """Flag pale films."""
    return 0.9 if np.median(image[60:140, 104:120]) > 0.8 else 0.1


def knows_nothing(image: np.ndarray) -> float:
    return 0.3


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Acquired:
    return write_films(tmp_path_factory.mktemp("films"), 24)


def scored_by(stub: Stub, films: Acquired) -> Predictions:
    probabilities = []
    for film in films.pixels:
        p = stub.predict([film.astype(np.float32) / 255])[0].pneumonia_probability
        probabilities.append([1 - p, p / 2, p / 2])
    facts = [FilmDetails(str(number), rejected=False) for number in range(len(films.films))]
    return Predictions(list(films.films), facts, np.array(probabilities), [])


def test_a_network_that_reads_the_machine_is_found_out_in_its_look(films: Acquired) -> None:
    stub = Stub(reads_the_machine)
    scored = scored_by(stub, films)
    assert np.mean((scored.pneumonia > 0.5) == scored.truth) > 0.85  # what validation sees

    found = judge(stub, scored, films, films=24)

    assert found["traps"] == ["KV", "other films"]
    assert found["worst"]["looks"]["specificity"]["name"] == "look of KV"
    assert found["worst"]["looks"]["specificity"]["value"] < 0.5
    assert found["worst"]["shifts"]["specificity"]["value"] < 0.5  # gamma makes films pale, too
    json.dumps(found, allow_nan=False)


def test_the_report_has_the_figures_of_the_contract_for_every_group(films: Acquired) -> None:
    rows = by_group(scored_by(Stub(reads_the_machine), films), films, 0.5)

    assert [row["name"] for row in rows] == ["KV", "other films"]
    for row in rows:
        assert {"n_normal", "n_pneumonia", "sensitivity", "specificity"} <= row.keys()
        assert row["one_class"]
        assert "at least 10 are needed" in row["remark"]
    kv, other = rows
    assert (kv["n_normal"], kv["n_pneumonia"], kv["specificity"]) == (0, 24, None)
    assert other["sensitivity"] is None
    assert kv["sensitivity_ci95"][0] < kv["sensitivity_ci95"][1]


def test_the_same_seed_gives_the_same_figures(films: Acquired) -> None:
    stub = Stub(reads_the_machine)
    scored = scored_by(stub, films)

    first, second = (judge(stub, scored, films, films=8, seed=3) for _ in range(2))

    assert first == second


def test_the_worst_is_chosen_among_rows_with_enough_films() -> None:
    rows = [
        {"name": name, "n_normal": n, "n_pneumonia": 50, **values}
        for name, n, values in (
            ("few", 9, {"auroc": 0.1, "sensitivity": 0.95, "specificity": 0.0}),
            ("many", 10, {"auroc": 0.9, "sensitivity": 0.99, "specificity": 0.8}),
        )
    ]
    for row in rows:
        row |= {f"{figure}_ci95": (0, 1) for figure in ("auroc", "sensitivity", "specificity")}

    found = worst(rows)

    assert found["auroc"]["name"] == found["specificity"]["name"] == "many"
    assert found["sensitivity"]["name"] == "few"
    assert worst([])["auroc"] is None


def test_the_table_names_every_row_and_every_trap(films: Acquired) -> None:
    stub = Stub(knows_nothing)
    found = judge(stub, scored_by(stub, films), films, films=4)

    written = table(found)

    for row in (*found["groups"], *found["looks"], *found["shifts"]):
        assert row["name"][:40] in written
    assert "Trap: all films of 'KV'" in written
    assert max(len(line) for line in written.splitlines()) <= 130


def test_two_models_are_compared_by_group(films: Acquired) -> None:
    reading, blind = (scored_by(Stub(rule), films) for rule in (reads_the_machine, knows_nothing))

    same = compare_groups(reading, reading, films, (0.5, 0.5))
    other = compare_groups(reading, blind, films, (0.5, 0.5))

    assert [(row["name"], row["figure"]) for row in same] == [
        ("KV", "sensitivity"),
        ("other films", "specificity"),
    ]
    assert all("No film differs" in row["remark"] for row in same)
    assert other[0]["difference"] < -0.8


def test_films_are_read_with_their_sizes_and_unreadable_ones_left_out(
    films: Acquired, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no film")
    broken = LabelledFilm(tmp_path / "broken.png", "NORMAL", "", "x", "")

    found = acquire([broken, *films.films[:3]])

    assert list(found.films) == list(films.films[:3])
    np.testing.assert_array_equal(found.pixels, films.pixels[:3])
    assert found.shapes.tolist() == [[224, 224]] * 3
    assert set(found.groups) == {"all films"}


def test_any_names_can_be_groups(films: Acquired) -> None:
    scored = scored_by(Stub(knows_nothing), films)

    rows = by_name(scored, ["AP", "PA", "", "AP"] * 12, 0.5)

    assert [(row["name"], row["n_normal"], row["n_pneumonia"]) for row in rows] == [
        ("AP", 12, 12),
        ("PA", 0, 12),
    ]
