import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.machines import acquired as write_films
from training.acquisition.acquired import Acquired
from training.report.dataset_report import describe, duplicates, group_alone, render


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Acquired:
    return write_films(tmp_path_factory.mktemp("Mueller_Anna"), 12)


def test_everything_is_counted(films: Acquired) -> None:
    found = describe(films, unreadable=2)

    assert (found["n"], found["n_normal"], found["n_pneumonia"]) == (24, 12, 12)
    assert found["partitions"][0]["viral"] == 12
    assert found["one_class_groups"] == ["KV", "other films"]
    assert found["group_alone_auroc"] == 1.0
    assert found["sizes"][0]["aspect"][1] == pytest.approx(4 / 3)
    json.dumps(found, allow_nan=False)


def test_the_page_needs_nothing_else_and_names_no_file(films: Acquired) -> None:
    page = render(describe(films), films, title="A <b>set</b>")

    assert "://" not in page
    assert "<script" not in page
    assert "Mueller" not in page
    assert "A &lt;b&gt;set&lt;/b&gt;" in page
    assert page.count("data:image/jpeg") == 2 * 10 + 2 * 10
    assert "one class only" in page
    assert "No two films have the same pixels" in page


def test_identical_films_are_listed_with_their_classes(films: Acquired) -> None:
    pixels = films.pixels.copy()
    pixels[1] = pixels[0]

    (found,) = duplicates(replace(films, pixels=pixels))

    assert (found["n"], found["patients"]) == (2, 2)
    assert found["classes"] == ["NORMAL", "viral"]
    assert len(found["paths"]) == 2


@pytest.mark.parametrize(("groups", "expected"), [(["a"] * 40, 0.5), (["a", "b"] * 20, 1.0)])
def test_a_group_may_reveal_the_class(groups: list[str], expected: float) -> None:
    assert group_alone(groups, np.arange(40) % 2 == 1) == expected


def test_one_class_alone_has_no_area() -> None:
    assert group_alone(["a", "b"], np.array([True, True])) is None
