"""The sentence about heat and lungs claims no more than is known."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_app.lung_fields import LungFields
from cxr_app.model.screening import MIRRORED
from cxr_app.prediction import HeatScale
from cxr_app.ui.text.extent_text import ESTIMATE, NO_HEAT, heat_sentence
from cxr_app.worklist import Entry
from tests.support.desk import evidence
from tests.support.lungs import two_lungs

SCALE = HeatScale(0.0, 2.0)
FLAGGED = Entry(
    "e",
    "s",
    "film.dcm",
    Path("/film"),
    datetime(2026, 1, 1, tzinfo=UTC),
    flagged=True,
    activation_map=evidence((5, 1)),
    lungs=two_lungs(),
)


def test_the_zone_with_most_of_the_heat_is_named_with_the_extent() -> None:
    expected = f"Most of the heat lies in the right lower zone; extent about 1 of 8 ({ESTIMATE})."
    assert heat_sentence(FLAGGED, SCALE) == expected


def test_heat_in_several_zones_is_not_assigned_to_one() -> None:
    spread = replace(FLAGGED, activation_map=evidence((1, 1), (5, 1), (3, 5), (4, 5)))
    assert heat_sentence(spread, SCALE).startswith("The heat covers the ")


def test_a_film_that_may_be_mirrored_has_no_sides() -> None:
    sentence = heat_sentence(replace(FLAGGED, remarks=(MIRRORED,)), SCALE)
    assert "the lower zone of one lung" in sentence
    assert "right" not in sentence
    assert "left" not in sentence


def test_heat_outside_the_lungs_is_called_that() -> None:
    outside = replace(FLAGGED, activation_map=evidence((0, 3)))
    assert heat_sentence(outside, SCALE) == "The heat lies outside the lungs."


@pytest.mark.parametrize("lungs", [None, two_lungs(found=False), two_lungs()])
def test_a_flag_without_visible_heat_is_called_that(lungs: LungFields | None) -> None:
    cold = replace(FLAGGED, activation_map=evidence(), lungs=lungs)
    assert heat_sentence(cold, SCALE) == NO_HEAT


@pytest.mark.parametrize(
    "entry",
    [
        replace(FLAGGED, flagged=False),
        replace(FLAGGED, flagged=None),
        replace(FLAGGED, activation_map=None),
        replace(FLAGGED, lungs=None),
        replace(FLAGGED, lungs=two_lungs(found=False)),
    ],
)
def test_unknown_facts_are_left_out(entry: Entry) -> None:
    assert heat_sentence(entry, SCALE) == ""


def test_without_a_scale_nothing_is_known_to_be_visible() -> None:
    assert heat_sentence(FLAGGED, None) == ""
