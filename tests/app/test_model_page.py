"""The model page: performance at any operating point, prevalence and reading room."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.operating_curve import OperatingCurve
from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui.text import performance_text
from cxr_app.worklist import Verdict, Worklist
from tests.support.scores import scored_films
from tests.support.worklists import POINTS, ReadyEngine, page_text, scored
from training.data.anonymous import anonymous

VERSION = "pneumonia-a41c9f02"


@pytest.fixture
def checkpoint(tmp_path: Path, engine: ReadyEngine) -> Path:
    """The checkpoint in use; the page only looks beside it."""
    path = tmp_path / "weights" / "pneumonia.safetensors"
    path.parent.mkdir()
    engine.current = replace(engine.current, checkpoint=path)
    return path


def write_scores(checkpoint: Path, version: str = VERSION, **films: Any) -> OperatingCurve:
    """Write scored films beside the checkpoint."""
    scored = scored_films(**films)
    scores = anonymous(
        scored.probabilities,
        scored.films,
        model_version=version,
        data=Path("a_**bold**_folder"),
        partition="validation",
    )
    reference_scores.write(reference_scores.scores_path(checkpoint), scores)
    return OperatingCurve.of(
        reference_scores.read(reference_scores.scores_path(checkpoint), version)
    )


@pytest.fixture
def curve(checkpoint: Path) -> OperatingCurve:
    return write_scores(checkpoint, normal=60, bacterial=60, viral=20)


@pytest.fixture
def page(app: AppTest, curve: OperatingCurve) -> AppTest:
    return shown(app)


def shown(app: AppTest) -> AppTest:
    app.run()
    app.switch_page("views/model.py").run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def waits(app: AppTest) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = app.table[0].value.to_dict("records")
    return rows


def test_the_page_begins_with_the_operating_point_in_use(
    page: AppTest, curve: OperatingCurve
) -> None:
    here = curve.at(POINTS["balanced"].threshold)
    worth = curve.at_prevalence(here.threshold, 0.1, 300)
    figures = metrics(page)
    assert figures["AUROC"] == (
        performance_text.ratio(curve.auroc.value),
        performance_text.ratio_interval(curve.auroc),
    )
    assert figures["Sensitivity"][0] == f"{here.sensitivity.value * 100:.1f} %"
    assert figures["Specificity"][0] == f"{here.specificity.value * 100:.1f} %"
    assert figures["PPV at 10 %"][0] == f"{worth.ppv.value * 100:.1f} %"
    assert figures["NPV at 10 %"][1] == performance_text.percentage_interval(worth.npv)
    assert figures["Alerts per day"][0] == f"{worth.alerts_a_day.value:.0f}"
    assert f"{here.counts.false_negative} missed" in page_text(page)
    assert "140 films" in page_text(page)
    assert "**bold**" not in page_text(page)


def test_moving_the_operating_point_changes_the_figures_and_says_that_it_changes_nothing_else(
    page: AppTest, curve: OperatingCurve
) -> None:
    before = metrics(page)
    page.select_slider[0].set_value(0.9).run()
    assert not page.exception
    after, here = metrics(page), curve.at(0.9)
    assert after["Sensitivity"][0] == f"{here.sensitivity.value * 100:.1f} %"
    assert after["Sensitivity"] != before["Sensitivity"]
    assert after["Alerts per day"] != before["Alerts per day"]
    assert after["AUROC"] == before["AUROC"]
    assert "changes nothing in the worklist" in page_text(page)
    assert "flagged from 40.0 %" in page_text(page)
    page.button(key="to_balanced").click().run()
    assert metrics(page) == before
    page.button(key="to_high_sensitivity").click().run()
    assert page.select_slider[0].value == POINTS["high_sensitivity"].threshold


def test_a_prevalence_changes_what_a_flag_is_worth_and_no_more(page: AppTest) -> None:
    before = metrics(page)
    page.slider(key="prevalence").set_value(40).run()
    after = metrics(page)
    assert after["Sensitivity"] == before["Sensitivity"]
    assert after["Specificity"] == before["Specificity"]
    assert float(after["PPV at 40 %"][0][:-2]) > float(before["PPV at 10 %"][0][:-2])
    assert float(after["NPV at 40 %"][0][:-2]) < float(before["NPV at 10 %"][0][:-2])


def test_waits_are_reported_for_each_kind_of_film_in_each_order(page: AppTest) -> None:
    rows = waits(page)
    assert [row["Films"] for row in rows if row["Films"]] == [
        "**With pneumonia**",
        "**Without pneumonia**",
        "**Pneumonia, not flagged**",
    ]
    assert [row["Reading order"] for row in rows] == [*performance_text.ORDERS.values()] * 3
    assert all("–" in row["Longest"] for row in rows)  # with its interval
    assert rows[1]["Mean wait"] == rows[2]["Mean wait"]  # nobody waits 72 h
    assert "Hardly any film waits 72 h" in page_text(page)
    page.number_input(key="cap_hours").set_value(0.5).run()
    assert waits(page)[1]["Mean wait"] == rows[1]["Mean wait"]
    assert waits(page)[2]["Mean wait"] != rows[1]["Mean wait"]
    assert "waited 0.5 h rises to the top" in page_text(page)


def test_a_reading_room_that_cannot_keep_up_is_warned(page: AppTest) -> None:
    assert not any("More films arrive" in warning.value for warning in page.warning)
    page.number_input(key="minutes").set_value(6.0).run()
    assert any("More films arrive than can be read" in warning.value for warning in page.warning)
    page.number_input(key="readers").set_value(2).run()
    assert not any("More films arrive" in warning.value for warning in page.warning)


def test_a_backlog_makes_films_wait_longer(page: AppTest) -> None:
    before = waits(page)
    page.number_input(key="backlog").set_value(400).run()
    assert not page.exception
    assert "with 400 films waiting" in page_text(page)
    assert waits(page)[0]["Mean wait"] != before[0]["Mean wait"]


def test_films_that_come_at_night_wait_for_the_morning(page: AppTest) -> None:
    before = waits(page)
    page.number_input(key="readers").set_value(4).run()
    page.number_input(key="hours").set_value(8.0).run()
    assert not page.exception
    assert "in the first 8 h of each day" in page_text(page)
    assert " h " in waits(page)[0]["Mean wait"]
    assert " min " in before[0]["Mean wait"]


def test_few_films_give_no_figure(page: AppTest) -> None:
    groups = {row["Group"]: row for row in page.table[1].value.to_dict("records")}
    assert "too few to estimate" in groups["Cause: viral".replace(":", "\\:")]["Sensitivity"]
    assert "%" in groups["Cause: bacterial".replace(":", "\\:")]["Sensitivity"]
    assert "have no DICOM header" in page_text(page)


def test_without_scored_films_the_page_says_how_to_make_them(
    app: AppTest, checkpoint: Path
) -> None:
    page = shown(app)
    assert "training.evaluate" in page_text(page).replace("\\", "")
    assert not page.metric


def test_scored_films_of_another_version_are_refused(app: AppTest, checkpoint: Path) -> None:
    write_scores(checkpoint, "pneumonia-00000000")
    page = shown(app)
    assert "made by pneumonia-00000000" in page_text(page).replace("\\", "")
    assert not page.metric


def test_films_of_one_kind_give_no_figure(app: AppTest, checkpoint: Path) -> None:
    write_scores(checkpoint, normal=0)
    page = shown(app)
    assert "all of one class" in page_text(page)
    assert not page.metric


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (EngineStatus("loading"), "as soon as it is ready"),
        (EngineStatus("failed", message="No checkpoint."), "No model is in use"),
    ],
)
def test_without_a_model_the_page_says_so(
    app: AppTest, engine: ReadyEngine, curve: OperatingCurve, status: EngineStatus, words: str
) -> None:
    engine.current = status
    page = shown(app)
    assert words in page_text(page)
    assert not page.metric


def test_the_model_card_is_shown_where_it_is_this_models(
    app: AppTest, checkpoint: Path, curve: OperatingCurve
) -> None:
    card = checkpoint.with_name("README.md")
    card.write_text("# Model card\n\nOf another-12345678.\n")
    assert "No model card" in page_text(shown(app))
    card.write_text(f"# Model card\n\nVersion `{VERSION}`: known failures.\n")
    page = shown(app)
    assert "known failures" in page_text(page)
    assert "No model card" not in page_text(page)


def test_the_page_names_a_model_of_every_version_by_its_own_threshold(
    page: AppTest, engine: ReadyEngine, checkpoint: Path
) -> None:
    """What was chosen for one model is not kept for the next."""
    page.select_slider[0].set_value(0.9).run()
    version = "pneumonia-99999999"
    write_scores(checkpoint, version)
    engine.current = replace(engine.current, model_version=version, file_version=version)
    page.run()
    assert not page.exception
    assert page.select_slider[0].value == POINTS["balanced"].threshold


def test_no_threshold_is_left_out_of_the_slider(page: AppTest) -> None:
    options = page.select_slider[0].options
    assert len(options) == 99
    assert "40.0 % · balanced" in options
    assert "20.0 % · high sensitivity" in options
    assert np.all(np.diff([float(option.split(" %")[0]) for option in options]) > 0)


def test_reviews_of_this_model_are_counted(page: AppTest, worklist: Worklist) -> None:
    assert "No reader has reviewed a flag of this model yet" in page_text(page)
    for number, verdict in enumerate((Verdict.AGREE, Verdict.AGREE, Verdict.DISAGREE)):
        film = scored(worklist, 0.8, source=f"{number}.dcm")
        worklist.reviews.add(film, "Weiss", verdict)
    page.run()
    (table,) = [each.value for each in page.table if "Week from" in each.value.columns]
    assert list(table["Agreement"]) == ["too few: 2 of 3"] * 2
    assert list(table["False alarms"]) == ["1", "1"]
