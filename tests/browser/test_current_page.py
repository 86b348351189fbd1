"""What a component says late does not lead its reader back to the page that they have left."""

from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection

from tests.browser.driving import Server, ServerWithTinyModel
from tests.browser.window import answers_to, messages_of, opened_window


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    with ServerWithTinyModel(folder / "data", folder / "output.txt") as running:
        yield running


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
