from dataclasses import replace

import pytest

from tests.support.scores import scored_films
from training.measure.predictions import FilmDetails
from training.measure.subgroups import film_age_group, subgroups


def test_causes_are_measured_against_all_films_without_pneumonia() -> None:
    groups = subgroups(scored_films(normal=35, bacterial=30, viral=40), threshold=0.5)

    assert [(group["by"], group["group"]) for group in groups] == [
        ("cause", "bacterial"),
        ("cause", "viral"),
    ]
    assert [(group["n_normal"], group["n_pneumonia"]) for group in groups] == [(35, 30), (35, 40)]
    for group in groups:
        low, high = group["auroc"]["ci95"]
        assert low <= group["auroc"]["value"] <= high


def test_a_group_with_fewer_than_thirty_positives_is_refused() -> None:
    bacterial, viral = subgroups(scored_films(bacterial=29, viral=30), threshold=0.5)

    assert bacterial.keys() == {"by", "group", "n_normal", "n_pneumonia", "refused"}
    assert bacterial["refused"] == "29 films with pneumonia; at least 30 are needed."
    assert "refused" not in viral


def test_too_few_films_without_pneumonia_leave_only_the_sensitivity() -> None:
    (group, _) = subgroups(scored_films(normal=29), threshold=0.5)

    assert "sensitivity" in group
    assert not {"specificity", "auroc", "refused"} & group.keys()


def test_view_sex_and_age_are_groups_if_headers_have_them() -> None:
    scored = scored_films()
    facts = [
        replace(
            fact,
            view_position="AP" if place % 2 else "",
            patient_sex="F",
            patient_age="003Y" if place % 4 else "unknown",
        )
        for place, fact in enumerate(scored.facts)
    ]

    groups = subgroups(replace(scored, facts=facts), threshold=0.5)

    counts = {(group["by"], group["group"]): group["n_pneumonia"] for group in groups}
    assert counts[("view", "AP")] == 40
    assert counts[("sex", "F")] == 80
    assert counts[("age", "1 to 5 years")] == 60
    assert len(counts) == 5


@pytest.mark.parametrize(
    ("patient_age", "group"),
    [
        ("300D", "under 1 year"),
        ("011M", "under 1 year"),
        ("053W", "1 to 5 years"),
        ("005Y", "1 to 5 years"),
        ("006Y", "6 to 17 years"),
        ("064Y", "18 to 64 years"),
        ("090Y", "65 years and over"),
        ("", ""),
        ("5", ""),
    ],
)
def test_an_age_belongs_to_one_group(patient_age: str, group: str) -> None:
    assert film_age_group(FilmDetails("", rejected=False, patient_age=patient_age)) == group
