"""The worklist page: most urgent first, what is chosen is what opens, and the view can be kept."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui.components.film_table import Sorting
from cxr_app.worklist import Worklist
from tests.support.worklists import ReadyEngine, failed, page_text, received, scored, shown, table

BANNER = "Investigational use: not for diagnosis"


def run(app: AppTest, **view: str) -> AppTest:
    """Open the page at an address."""
    for name, value in view.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest) -> dict[str, str]:
    """What the address holds besides the page."""
    held = {name: value for name, value in app.query_params.items() if value}
    return {name: value if isinstance(value, str) else value[0] for name, value in held.items()}


def metrics(app: AppTest) -> dict[str, str]:
    """The counts on top."""
    return {metric.label: metric.value for metric in app.metric}


def test_an_empty_list_says_what_to_do_next(app: AppTest) -> None:
    run(app)
    assert "No films yet. Upload films" in page_text(app)
    assert [link.proto.label for link in app.get("page_link")] == ["Upload films"]
    assert metrics(app)["Longest wait"] == "–"


def test_the_most_urgent_film_is_on_top(app: AppTest, worklist: Worklist) -> None:
    low = scored(worklist, 0.05, minutes=60)
    unlikely = scored(worklist, 0.3, minutes=50)
    short = scored(worklist, 0.99, minutes=5)
    long = scored(worklist, 0.5, minutes=40)
    assert shown(run(app)) == [short, long, unlikely, low]
    assert shown(app, "tier") == ["● HIGH", "● HIGH", "◐ MEDIUM", "○ LOW"]
    assert [share["words"] for share in shown(app, "pneumonia")] == ["99 %", "50 %", "30 %", "5 %"]
    assert shown(app, "waiting") == ["5 min", "40 min", "50 min", "1 h 00 min"]
    assert shown(app, "cause") == ["bacterial", "bacterial", "", ""]


def test_each_probability_is_shown_with_its_operating_point(
    app: AppTest, worklist: Worklist
) -> None:
    scored(worklist, 0.3)
    assert shown(run(app), "pneumonia") == [{"value": 0.3, "words": "30 %", "mark": 0.4}]


def test_a_row_says_who_and_what(app: AppTest, worklist: Worklist) -> None:
    scored(
        worklist,
        0.5,
        patient_id="P-4471",
        patient_name="Weiss^Anna",
        patient_age="003Y",
        patient_sex="F",
        accession_number="A-77",
        study_date="20261121",
        view_position="AP",
        source="exports/room 3/IM1.dcm",
    )
    (row,) = table(run(app))["rows"]
    found_text = {name: value for name, value in row.items() if name not in ("id", "pneumonia")}
    assert found_text == {
        "tone": "strong",
        "urgent": "",
        "assigned": "",
        "note": "",
        "key": "",
        "tier": "● HIGH",
        "cause": "bacterial",
        "waiting": "10 min",
        "state": "unread",
        "reader": "",
        "patient_id": "P-4471",
        "patient_name": "Weiss, Anna",
        "patient_age": "3 y",
        "patient_sex": "F",
        "accession_number": "A-77",
        "study_date": "2026-11-21",
        "view_position": "AP",
        "remark": "",
        "source": "IM1.dcm",
    }


def test_the_counts_are_those_of_the_list(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.9, minutes=130)
    scored(worklist, 0.1)
    received(worklist, "just arrived")
    failed(worklist, "It is not a film. Send the film.")
    for minutes in (25, 45, 200):
        worklist.mark_read(scored(worklist, 0.8, minutes=minutes))
    assert metrics(run(app)) == {
        "Unread": "4",
        "Flagged, unread": "1",
        "Needs a person": "1",
        "Longest wait": "2 h 10 min",
        "Median time to read today": "45 min",
        "Read today": "3",
    }
    assert "4 films, 1 being scored;" in page_text(app)


def test_a_list_that_is_scored_says_nothing_of_scoring(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.9)
    assert "1 film; urgent first" in page_text(run(app))
    assert "being scored" not in page_text(app)


def test_a_row_says_who_has_the_film_open_else_who_has_read_it(
    app: AppTest, worklist: Worklist
) -> None:
    read = scored(worklist, 0.9)
    worklist.mark_read(read, "Okafor")
    opened = scored(worklist, 0.5)
    worklist.claims.claim(opened, "Weiss")
    assert shown(run(app, state="all"), "reader") == ["open: Weiss", "Okafor"]
    worklist.claims.claim(read, "Weiss")
    assert shown(app.run(), "reader") == ["open: Weiss", "open: Weiss"]


def test_more_hits_than_anybody_pages_through_are_not_counted(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        received(worklist, f"ward {number}")
    run(app)
    monkeypatch.setattr(Worklist, "count", lambda _self, _query, at_most=0: at_most)
    app.text_input(key="text").set_value("ward").run()
    assert "More than 1,000 films, 4 being scored;" in page_text(app)


def test_films_not_scored_are_listed_with_their_state_and_reason(
    app: AppTest, worklist: Worklist
) -> None:
    arrived = received(worklist, "just arrived")
    refused = failed(worklist, "It is not a film. Send the film.")
    run(app)
    by_id = {row["id"]: row for row in table(app)["rows"]}
    assert by_id[arrived]["state"] == "being scored"
    assert by_id[refused]["state"] == "needs a person"
    assert by_id[refused]["remark"] == "It is not a film. Send the film."
    assert by_id[refused]["pneumonia"] is None


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({}, {"flagged", "not flagged", "failed"}),
        ({"state": "read"}, {"read"}),
        ({"state": "needs_a_person"}, {"failed"}),
        ({"state": "all"}, {"flagged", "not flagged", "failed", "read"}),
        ({"flag": "flagged"}, {"flagged"}),
        ({"tier": "high"}, {"flagged"}),
        ({"tier": "low", "state": "all"}, {"not flagged"}),
        ({"tier": "medium", "state": "all"}, {"read"}),
        ({"tier": "medium"}, set()),
        ({"flag": "not_flagged", "state": "all"}, {"not flagged", "read"}),
        (
            {"state": "<script>", "flag": "x", "sort": "sha", "page": "-3"},
            {"flagged", "not flagged", "failed"},
        ),
    ],
    ids=lambda given: str(given if isinstance(given, dict) else sorted(given)),
)
def test_the_address_brings_its_view(
    app: AppTest, worklist: Worklist, view: dict[str, str], expected: set[str]
) -> None:
    ids = {
        scored(worklist, 0.9): "flagged",
        scored(worklist, 0.1): "not flagged",
        failed(worklist, "It is not a film. Send the film."): "failed",
        scored(worklist, 0.2): "read",
    }
    worklist.mark_read(next(entry_id for entry_id, name in ids.items() if name == "read"))
    run(app, **view)
    assert (
        {ids[entry_id] for entry_id in shown(app)} == expected
        if expected
        else "No film" in page_text(app)
    )


def test_choosing_a_filter_puts_it_into_the_address(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.9)
    flagged_and_read = scored(worklist, 0.8)
    worklist.mark_read(flagged_and_read)
    run(app)
    app.segmented_control(key="state").set_value("read").run()
    app.pills(key="flag").set_value("flagged").run()
    assert address(app) == {"state": "read", "flag": "flagged"}
    assert shown(app) == [flagged_and_read]
    app.segmented_control(key="state").set_value("unread").run()
    assert address(app) == {"flag": "flagged"}
    app.pills(key="tier").set_value("high").run()
    assert address(app) == {"flag": "flagged", "tier": "high"}
    app.pills(key="tier").set_value(None).run()
    assert address(app) == {"flag": "flagged"}


def test_a_search_narrows_the_list_and_stays_out_of_the_address(
    app: AppTest, worklist: Worklist
) -> None:
    anna = scored(worklist, 0.1, patient_name="Weiss^Anna")
    scored(worklist, 0.9, patient_name="O'Brien^Tom")
    run(app)
    app.text_input(key="text").set_value("weiss").run()
    assert shown(app) == [anna]
    assert address(app) == {}
    app.text_input(key="text").set_value("nobody").run()
    assert "No film matches" in page_text(app)


def test_the_list_sorts_by_the_column_in_the_address(app: AppTest, worklist: Worklist) -> None:
    for probability in (0.5, 0.9, 0.1):
        scored(worklist, probability)
    run(app, sort="pneumonia_probability")
    assert [share["value"] for share in shown(app, "pneumonia")] == [0.1, 0.5, 0.9]
    assert (table(app)["sort"], table(app)["descending"]) == ("pneumonia_probability", False)


def test_every_column_but_those_handed_over_sorts(app: AppTest, worklist: Worklist) -> None:
    ids = [scored(worklist, 0.5, patient_id="P1"), scored(worklist, 0.2, patient_sex="F")]
    for column in table(run(app))["columns"]:
        if column["id"] in ("urgent", "key", "assigned", "note"):
            continue
        assert column["sort"]
        assert sorted(shown(run(app, sort=column["sort"]))) == sorted(ids)


def test_a_click_on_a_head_sorts_in_the_database_and_begins_at_the_first_page(
    app: AppTest, worklist: Worklist, gestures: Callable[..., None]
) -> None:
    for number in range(51):
        scored(worklist, 0.01 + number / 100)
    gestures(sorting=Sorting("pneumonia_probability", descending=True))
    run(app, page="2")
    app.run()
    assert address(app) == {"sort": "pneumonia_probability", "descending": "true"}
    assert shown(app, "pneumonia")[0]["value"] == pytest.approx(0.51)


def test_what_is_opened_is_the_very_film_and_the_view_goes_along(
    app: AppTest, worklist: Worklist, gestures: Callable[..., None]
) -> None:
    scored(worklist, 0.9)
    wanted = scored(worklist, 0.1)
    gestures(opened=wanted)
    run(app, sort="patient_id", state="all")
    assert address(app) == {"sort": "patient_id", "state": "all", "film": wanted}


def test_open_next_opens_the_top_film(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.2)
    top = scored(worklist, 0.9)
    run(app)
    app.button(key="open_next").click().run()
    assert address(app)["film"] == top


def test_open_next_passes_over_films_that_others_have_open(
    app: AppTest, worklist: Worklist
) -> None:
    top, free, _ = (scored(worklist, 0.9, minutes=minutes) for minutes in (30, 20, 10))
    worklist.claims.claim(top, "Braun")
    run(app)
    app.button(key="open_next").click().run()
    assert address(app)["film"] == free


def test_open_next_opens_the_top_film_where_others_have_all_of_them(
    app: AppTest, worklist: Worklist
) -> None:
    top = scored(worklist, 0.9)
    worklist.claims.claim(top, "Braun")
    run(app)
    app.button(key="open_next").click().run()
    assert address(app)["film"] == top


def test_a_long_list_is_paged_by_the_database(app: AppTest, worklist: Worklist) -> None:
    for number in range(60):
        received(worklist, f"film {number}", minutes=number)
    first = shown(run(app))
    second = shown(run(app, page="2"))
    assert (len(first), len(second)) == (50, 10)
    assert not set(first) & set(second)
    assert shown(run(app, page="99")) == second


def test_no_word_is_put_where_markup_has_a_meaning(app: AppTest, worklist: Worklist) -> None:
    hostile = "**x** <img> :red[x] [x](x)"
    scored(worklist, 0.5, patient_name=hostile, source=hostile)
    run(app)
    assert "img" not in page_text(app)
    assert shown(app, "patient_name") == [hostile]


def test_the_page_never_calls_a_film_normal(app: AppTest, worklist: Worklist) -> None:
    scored(worklist, 0.001)
    run(app)
    assert "normal" not in (page_text(app) + str(table(app))).lower()


def test_banner_and_model_are_in_view(app: AppTest) -> None:
    found_text = page_text(run(app))
    assert BANNER in found_text
    assert "pneumonia" in found_text
    assert "CPU" in found_text


def test_the_list_is_shown_even_if_the_model_cannot_be_used(
    app: AppTest, worklist: Worklist, engine: ReadyEngine
) -> None:
    engine.current = EngineStatus("failed", "There is no checkpoint. Train one.")
    entry_id = received(worklist, "film")
    assert shown(run(app)) == [entry_id]
    assert "There is no checkpoint" in app.error[0].value.replace("\\", "")


def test_the_list_shows_while_the_model_loads(
    app: AppTest, worklist: Worklist, engine: ReadyEngine
) -> None:
    engine.current = EngineStatus("loading")
    entry_id = received(worklist, "film")
    assert shown(run(app)) == [entry_id]
    assert "Loading the model" in page_text(app)


def test_the_pages_need_no_torch(project_root: Path) -> None:
    found = "import sys; print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    modules = ("resources", "upload_queue", "text.table_rows", "view_state")
    needs = "import " + ", ".join(f"cxr_app.ui.{module}" for module in modules)
    found_text = subprocess.run(
        [sys.executable, "-c", f"{needs}; {found}"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found_text.stdout.strip() == "[]"
