"""The film page describes every kind of entry, and shows text of files as text only."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from streamlit.testing.v1 import AppTest

from cxr_app.imaging import intake
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.pose import Pose, posed_softcopy
from cxr_app.prediction import HeatScale
from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.server import error_page, film_payload, film_route
from cxr_app.worklist import Entry, Query
from tests.support.desk import Desk, scored
from tests.support.factories import dicom_bytes, radiograph_dataset
from tests.support.films import jpeg
from tests.support.lungs import two_lungs
from tests.support.worklists import ReadyEngine, viewer

FILM_PAGE = "views/film.py"
HOSTILE = "<img src=x onerror=alert(1)>**bold** :red[x]"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(tmp_path / "none.safetensors"))
    opened = Desk(tmp_path / "data")
    yield opened
    opened.worklist.close()


@pytest.fixture
def open_film(project_root: Path) -> Callable[[str], AppTest]:
    def at(entry_id: str) -> AppTest:
        app = AppTest.from_file(project_root / "cxr_app/ui/script.py", default_timeout=30)
        app.session_state["reader_asked"] = True
        app.run()
        app.switch_page(FILM_PAGE)
        if entry_id:
            app.query_params["film"] = entry_id
        app.run()
        assert not app.exception
        return app

    return at


def words(app: AppTest) -> str:
    """Everything that the page shows as HTML, and its messages."""
    described = [element.proto.body for element in app.get("html")]
    return "\n".join(described + [element.value for element in (*app.info, *app.error)])


def test_a_flagged_film_shows_probability_operating_point_and_share(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.score(entry_id, 0.91)
    described = words(open_film(entry_id))
    assert "Flagged: 91 % reaches the operating point of 47 %." in described
    assert "● HIGH" in described
    assert "Bacterial <b>68 %</b>" in described
    assert "viral <b>23 %</b>" in described
    assert "1 h 06 min" in described
    assert "m-1" in described
    assert "normal" not in described.lower()


def test_a_film_that_is_not_flagged_is_not_called_free_of_pneumonia(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.score(entry_id, 0.001)
    described = words(open_film(entry_id))
    assert "Not flagged: &lt; 1 % is below the operating point of 47 %." in described
    assert "Pneumonia is not ruled out" in described
    assert "normal" not in described.lower()


def test_probabilities_that_round_to_their_operating_point_show_what_decides(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.score(entry_id, 0.4696)
    assert "Not flagged: 46.96 % is below the operating point of 47.00 %." in words(
        open_film(entry_id)
    )


def test_dicom_facts_are_worded_for_people(desk: Desk, open_film: Callable[[str], AppTest]) -> None:
    ds = radiograph_dataset(
        PatientName="Weiss^Anna", PatientID="P-4471", PatientAge="003Y", StudyDate="20261121"
    )
    entry_id = desk.receive(dicom_bytes(ds))
    desk.score(entry_id, 0.6)
    described = words(open_film(entry_id))
    for fact in (
        "Weiss, Anna",
        "P-4471",
        "3 y",
        "female",
        "study 2026-11-21 08:30",
        "CHEST",
        "A-1",
    ):
        assert fact in described
    assert desk.worklist.entry(entry_id).sha256[:12] in described


def test_a_jpeg_shows_its_file_name_and_that_it_has_no_header(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(jpeg(1), source="backlog/ward 3/child.jpeg")
    desk.score(entry_id, 0.6)
    described = words(open_film(entry_id))
    assert ">child.jpeg<" in described
    assert "no DICOM header" in described


def test_markup_in_headers_names_and_reasons_stays_text(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    ds = radiograph_dataset(
        PatientID=HOSTILE, StudyDescription=HOSTILE, AccessionNumber="<b>boo</b>"
    )
    scored = desk.receive(dicom_bytes(ds), source=f"{HOSTILE}.dcm")
    desk.score(scored, 0.6)
    refused = desk.receive(b"no film", source=f"{HOSTILE}.dcm")
    desk.refuse(refused, ScoringState.FAILED, f"Found {HOSTILE}.")
    for entry_id in (scored, refused):
        app = open_film(entry_id)
        assert "&lt;img src" in words(app)
        assert "<img" not in words(app)
        assert "<b>boo" not in words(app)
        assert not any(HOSTILE in text.value for text in (*app.markdown, *app.caption, *app.title))


def opened(app: AppTest) -> str:
    """The film that the address names."""
    film = app.query_params["film"]
    return film if isinstance(film, str) else film[0]


@pytest.mark.parametrize("state", [ScoringState.REJECTED, ScoringState.FAILED])
def test_a_refused_film_needs_a_person_and_has_no_probability(
    state: ScoringState, desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.refuse(entry_id, state, "The film shows a hip.")
    described = words(open_film(entry_id))
    assert "Needs a person" in described
    assert "The film shows a hip." in described
    assert "%" not in described.split("film-title")[1]


def test_an_unscored_film_says_that_it_waits_for_the_model(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    described = words(open_film(desk.receive(dicom_bytes())))
    assert "Being scored" in described or "checkpoint" in described
    assert "Flagged" not in described


def test_earlier_scores_of_other_models_are_listed(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.score(entry_id, 0.3, "old-1")
    desk.score(entry_id, 0.8, "new-2")
    described = words(open_film(entry_id))
    assert "Earlier scores" in described
    assert "30 % not flagged" in described


def test_a_film_scored_by_another_model_than_the_one_in_use_says_so(
    desk: Desk, open_film: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_id = desk.score(desk.receive(dicom_bytes()), 0.8, "old-1")
    now = ReadyEngine(EngineStatus("ready", model_version="<b>new-2</b>"))
    monkeypatch.setattr(resources, "engine", lambda: now)
    described = words(open_film(entry_id))
    assert "old-1" in described
    assert "&lt;b&gt;new-2&lt;/b&gt;, another model" in described
    now.current = EngineStatus("ready", model_version="old-1")
    assert "another model" not in words(open_film(entry_id))


def test_next_and_previous_follow_the_worklist(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    ids = [desk.receive(jpeg(seed), f"{seed}.jpeg") for seed in range(3)]
    for entry_id, probability in zip(ids, (0.6, 0.9, 0.1), strict=True):
        desk.score(entry_id, probability)
    order = [entry.id for entry in desk.worklist.page(Query())]
    app = open_film(order[0])
    assert app.button(key="previous").disabled
    app.button(key="next").click().run()
    assert opened(app) == order[1]
    app.button(key="next").click().run()
    assert opened(app) == order[2]
    assert app.button(key="next").disabled
    app.button(key="previous").click().run()
    assert opened(app) == order[1]


def test_a_film_marked_as_read_can_be_put_back(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    desk.score(entry_id, 0.6)
    app = open_film(entry_id)
    app.button(key=f"mark_read_{entry_id}").click().run()
    assert desk.worklist.entry(entry_id).read_at is not None
    assert app.button(key=f"mark_read_{entry_id}").label == "Mark as unread"
    app.button(key=f"mark_read_{entry_id}").click().run()
    assert desk.worklist.entry(entry_id).read_at is None


def test_no_film_chosen_says_what_to_do(desk: Desk, open_film: Callable[[str], AppTest]) -> None:
    assert "Choose one in the worklist" in words(open_film(""))


def test_the_film_of_before_can_be_opened_again(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.receive(dicom_bytes())
    page = open_film(entry_id)
    page.switch_page("views/model.py").run()
    page.switch_page(FILM_PAGE)
    del page.query_params["film"]  # as a link of the navigation leads to the page
    page.run()
    page.button(key="last_film").click().run()
    assert page.query_params["film"] == entry_id
    assert "Choose one in the worklist" not in words(page)


def test_an_unknown_film_is_a_sentence(desk: Desk, open_film: Callable[[str], AppTest]) -> None:
    assert "no entry" in words(open_film("0" * 32))


def answer(address: str) -> Response:
    """Ask the app's own routes, as the viewer does."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": address.partition("?")[0],
        "query_string": address.partition("?")[2].encode(),
        "headers": [],
    }
    for route in film_route.routes():
        match, found = route.matches(scope)
        if match is Match.FULL:
            given: Response = found["endpoint"](Request({**scope, **found}))
            return given
    raise LookupError(f"no route serves {address}")


def test_the_film_is_served_whole_and_never_cached(desk: Desk) -> None:
    data = dicom_bytes()
    served = answer(film_route.film_address(desk.receive(data)))
    assert served.body == film_payload.pack_film(intake.read_softcopy(data))
    assert "no-store" in served.headers["cache-control"]
    assert served.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_film_is_served_in_the_pose_of_its_address(desk: Desk) -> None:
    data, pose = dicom_bytes(), Pose(1, mirrored=True)
    served = answer(film_route.film_address(desk.receive(data), pose))
    shown = posed_softcopy(intake.read_softcopy(data), pose)
    assert served.body == film_payload.pack_film(shown)


def test_a_lost_or_unreadable_film_is_answered_with_a_sentence(desk: Desk) -> None:
    lost, broken = desk.receive(jpeg(3)), desk.receive(b"no film")
    desk.worklist.entry(lost).path.unlink()
    for entry_id, expected in ((lost, b"cannot be read"), (broken, b"neither DICOM")):
        served = answer(film_route.film_address(entry_id))
        assert served.status_code == 200
        assert expected in bytes(served.body)


def test_an_address_that_names_no_entry_is_not_found(desk: Desk) -> None:
    assert answer(film_route.film_address("0" * 32)).status_code == 404


def enter(desk: Desk, scale: HeatScale | None) -> tuple[Outcome, Entry]:
    """A film with its score, and with the scale of the model that gave it."""
    data = dicom_bytes()
    outcome = scored(data, 0.9, "m-1")
    assert outcome.prediction is not None
    outcome = replace(outcome, prediction=replace(outcome.prediction, heat_scale=scale))
    return outcome, desk.worklist.entry(desk.enter_outcome(data, outcome))


def test_heat_lies_on_the_scale_of_the_model_that_scored_whichever_is_in_use(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two networks' evidence has other bounds: on a stranger's scale a film would glow or not."""
    own, strange = HeatScale(-1.0, 3.0), HeatScale(5.0, 9.0)
    outcome, entry = enter(desk, own)
    now = EngineStatus("ready", model_version="m-2", heat_scale=strange)
    monkeypatch.setattr(resources.engine(), "status", lambda: now)
    assert outcome.prediction is not None
    served = answer(film_route.heat_address(entry) or "")
    assert served.body == film_payload.pack_heat(
        outcome.prediction.activation_map, own, outcome.rows, outcome.columns
    )


def test_the_page_says_where_the_heat_lies_and_sends_the_lungs(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    data = dicom_bytes()
    outcome = scored(data, 0.9, spots=[(5, 1)])
    assert outcome.prediction is not None
    outcome = replace(outcome, prediction=replace(outcome.prediction, lungs=two_lungs()))
    entry_id = desk.enter_outcome(data, outcome)
    assert "Most of the heat lies in the right lower zone" in words(open_film(entry_id))
    served = answer(film_route.heat_address(desk.worklist.entry(entry_id)) or "")
    assert b'"lungs": [[[' in bytes(served.body)


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (EngineStatus("ready", model_version="m-1", heat_scale=HeatScale(0.0, 2.0)), ""),
        (
            EngineStatus("ready", model_version="m-2", heat_scale=HeatScale(0.0, 2.0)),
            "No heatmap: scored by an earlier model",
        ),
        (EngineStatus("loading"), "Available once the model is loaded"),
    ],
    ids=["its model", "another model", "no model yet"],
)
def test_a_score_without_its_scale_has_heat_only_while_its_model_is_in_use(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    open_film: Callable[[str], AppTest],
    status: EngineStatus,
    note: str,
) -> None:
    """Older entries have no scale; the page explains why it shows no heat."""
    _, entry = enter(desk, None)
    monkeypatch.setattr(resources, "engine", lambda: ReadyEngine(status))
    served = answer(film_route.heat_address(entry) or "")
    assert served.status_code == (404 if note else 200)
    assert viewer(open_film(entry.id))["note"] == note


def test_a_deleted_film_says_when_and_why_and_keeps_its_scores(
    desk: Desk, open_film: Callable[[str], AppTest]
) -> None:
    entry_id = desk.score(desk.receive(dicom_bytes()), 0.91)
    desk.worklist.mark_read(entry_id, "Weiss")
    later = datetime.now(UTC) + timedelta(days=1)
    assert desk.worklist.deletions.delete(entry_id, later, desk.films.delete)
    sentence = (
        f"deleted on {datetime.now().astimezone():%Y-%m-%d} under the retention policy of this site"
    )
    app = open_film(entry_id)
    described = words(app)
    assert sentence in described
    assert "Flagged: 91 % reaches" in described
    assert "Phantom" not in described
    assert "P-1" not in described
    assert not [button.label for button in app.button if button.label in ("Agree", "Disagree")]
    assert app.button(key=f"mark_read_{entry_id}").disabled
    assert sentence.encode() in bytes(answer(film_route.film_address(entry_id)).body)


def test_a_film_that_meets_a_fault_is_answered_with_a_sentence_and_logged_without_its_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: bytes, **_how: object) -> None:
        raise NotImplementedError("Phantom^Ada")

    monkeypatch.setattr(intake, "read_softcopy", fail)
    served = answer(film_route.film_address(desk.receive(dicom_bytes())))
    assert error_page.UNEXPECTED.encode() in bytes(served.body)
    assert "NotImplementedError" in caplog.text
    assert "Phantom^Ada" not in caplog.text.replace(
        '("Phantom^Ada")', ""
    )  # but for this test's line
