"""What a component says late does not lead its reader back to the page that they have left."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection

from tests.browser.driving import Server, ServerWithTinyModel
from tests.browser.window import answers_to, messages_of, messages_of_run, opened_window
from tests.support.desk import Desk
from tests.support.films import jpeg

SERVER = ServerWithTinyModel


def page_of(messages: list[ForwardMsg]) -> str:
    """Return the page that a run says it draws, at first and, if it knows better, later."""
    said = [each.new_session.page_script_hash for each in messages if each.HasField("new_session")]
    said += [each.navigation.page_script_hash for each in messages if each.HasField("navigation")]
    return said[-1]


def fragment_of(messages: list[ForwardMsg]) -> str:
    """Return a fragment that every page has: that of the banner is the first."""
    return next(each.delta.fragment_id for each in messages if each.delta.fragment_id)


def rerun(window: ClientConnection, page: str, fragment: str = "") -> list[ForwardMsg]:
    asked = BackMsg()
    asked.rerun_script.page_script_hash = page
    asked.rerun_script.fragment_id = fragment
    return list(answers_to(window, asked))


@pytest.mark.parametrize("name", ["upload", "film"])
def test_a_fragment_that_names_an_earlier_page_runs_on_the_current_one(
    server: Server, name: str
) -> None:
    with opened_window(server, {}) as window:
        start = list(messages_of(window))
        pages = {
            each.url_pathname: each.page_script_hash
            for told in start
            for each in told.navigation.app_pages
        }
        moved = rerun(window, pages[name])
        assert page_of(moved) == pages[name]
        late = rerun(window, page_of(start), fragment_of(start))
        assert page_of(late) == pages[name]


def test_a_fragment_of_the_current_page_stays_there(server: Server) -> None:
    with opened_window(server, {}) as window:
        start = list(messages_of(window))
        assert page_of(rerun(window, page_of(start), fragment_of(start))) == page_of(start)
        upload = list(messages_of(window, "upload"))  # by its name: the browser knows no more yet
        assert page_of(rerun(window, page_of(upload), fragment_of(start))) == page_of(upload)
        assert page_of(upload) != page_of(start)


def on_the_list(drawn: list[ForwardMsg], page: str, event: str, value: object) -> BackMsg:
    """A click on the table of films, as the browser reports it."""
    (table,) = (each.delta for each in drawn if is_table(each))
    asked = BackMsg()
    asked.rerun_script.page_script_hash = page
    asked.rerun_script.fragment_id = table.fragment_id
    name = f"$$STREAMLIT_INTERNAL_KEY_{table.new_element.bidi_component.id}__events"
    clicked = asked.rerun_script.widget_states.widgets.add(id=name)
    clicked.json_trigger_value = json.dumps([{"event": event, "value": value}])
    return asked


def is_table(message: ForwardMsg) -> bool:
    return message.delta.new_element.bidi_component.id.endswith("-films")


def test_a_click_on_the_list_that_comes_late_leaves_the_film_that_another_has_opened(
    server: Server,
) -> None:
    assert isinstance(server.data_dir, Path)
    desk = Desk(server.data_dir)
    with closing(desk.worklist), opened_window(server, {}) as window:
        film = desk.enter(jpeg(0), 0.8)
        drawn = list(messages_of(window))
        start = page_of(drawn)
        late = on_the_list(drawn, start, "sorted", {"sort": "source", "descending": False})
        list(answers_to(window, on_the_list(drawn, start, "opened", film)))
        moved = next(each for each in messages_of_run(window) if each.HasField("new_session"))
        assert page_of([moved]) != start
        told = [*answers_to(window, late), *messages_of_run(window)]
        (of_fragment,) = (each for each in told if each.HasField("new_session"))
        assert of_fragment.metadata.run.fragment_ids
        assert page_of([of_fragment]) == page_of([moved])
