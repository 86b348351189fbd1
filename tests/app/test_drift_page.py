"""The Drift page: figures week by week and by sender, alarms, and what has changed."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.permissions import Permission, Role, refusal
from cxr_app.ui import resources
from cxr_app.worklist import Worklist
from tests.support.worklists import ReadyEngine, failed, page_text, scored

WEEK = 7 * 24 * 60
VERSION = "pneumonia-a41c9f02"


@pytest.fixture
def app(app: AppTest) -> AppTest:
    resources._drift_films.clear()
    return app


def shown(app: AppTest) -> AppTest:
    app.run()
    app.switch_page("views/drift.py").run()
    assert not app.exception
    return app


def films(
    worklist: Worklist, count: int, weeks: float, highest: float = 1.0, **header: str
) -> list[str]:
    """Enter films of a week with probabilities spread up to the highest."""
    return [
        scored(
            worklist,
            highest * (place + 0.5) / count,
            minutes=weeks * WEEK,
            source=f"{header} {weeks} {place}",
            **header,
        )
        for place in range(count)
    ]


def tables(app: AppTest, column: str) -> list[dict[str, str]]:
    """The rows of the table that has this column."""
    (found,) = [each.value for each in app.table if column in each.value.columns]
    rows: list[dict[str, str]] = found.to_dict("records")
    return rows


def test_without_films_the_page_says_when_there_will_be_figures(app: AppTest) -> None:
    assert "No film has arrived" in page_text(shown(app))


def test_few_films_give_no_figure_and_no_alarm(app: AppTest, worklist: Worklist) -> None:
    films(worklist, 12, 1.5)
    failed(worklist, "The file is truncated.", minutes=WEEK)
    page = shown(app)
    (row,) = [row for row in tables(page, "Week from") if row["Scored"] == "12"]
    assert row["Flagged"] == row["PSI"] == "too few: 12"
    assert row["Sensitivity"] == ""
    assert "they need 30 films to compare with" in page_text(page)
    assert "No alarm" in page_text(page)


def test_scores_that_move_raise_an_alarm_by_week_and_by_station(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DRIFT_ALARMS", "psi=0.25, sensitivity=0.9")
    for station in ("CR-1", "DX_2"):
        films(worklist, 150, 12, highest=0.5, station_name=station)
    moved = films(worklist, 150, 1, station_name="DX_2")
    films(worklist, 150, 1, highest=0.5, station_name="CR-1")
    films(worklist, 35, 0.5, station_name="NEW")
    for entry_id in moved[110:]:
        worklist.reviews.add(entry_id, "Weiss", True)
    page = shown(app)
    (warning,) = [each.value.replace("\\", "") for each in page.warning]
    assert "Station DX_2: PSI" in warning
    assert "above the line of 0.25" in warning
    assert "Station DX_2: Sensitivity" not in warning
    assert "CR-1" not in warning
    rows = {row["Station"].replace("\\", ""): row for row in tables(page, "Station")}
    assert rows["DX_2"]["PSI"].endswith("▲")
    assert rows["DX_2"]["Sensitivity"].startswith("100 %")
    assert rows["CR-1"]["PSI"].startswith("0.00 (")
    assert rows["CR-1"]["Films"] == "300"
    assert rows["NEW"]["PSI"] == "no reference"
    assert [row["What changed"] for row in tables(page, "What changed")] == ["First film of NEW"]
    page.selectbox(key="drift_sender").set_value("view").run()
    assert tables(page, "View")[0]["View"] == "not stated"


def test_a_promotion_is_marked_and_its_model_is_followed_alone(
    app: AppTest, worklist: Worklist, engine: ReadyEngine
) -> None:
    films(worklist, 40, 3)
    worklist.promotions.put_to_use(
        "0" * 64, "later-00000001", by="Weiss", instead_of=None, replaced_version=VERSION
    )
    engine.current = replace(engine.current, model_version="later-00000001")
    page = shown(app)
    (change,) = tables(page, "What changed")
    assert change["Mark"] == "A"
    assert "later-00000001 instead of" in change["What changed"].replace("\\", "")
    model = page.selectbox(key="drift_model")
    assert model.options == [VERSION, "All models"]  # the new one has scored nothing yet
    model.set_value("").run()
    assert not page.exception


def test_scores_can_be_compared_with_another_period(app: AppTest, worklist: Worklist) -> None:
    films(worklist, 40, 20)
    films(worklist, 40, 1, highest=0.5)
    page = shown(app)
    page.selectbox(key="drift_reference").set_value("A period").run()
    assert not page.exception
    assert page.date_input(key="drift_period").value


def test_the_page_is_for_administrators_and_scientists() -> None:
    wanted = {Role.ADMINISTRATOR, Role.SCIENTIST}
    words = refusal(Permission.OPEN_DRIFT, {Role.READER}, wanted)
    assert words.startswith("You may not open the Drift page")
