"""Which page a window's messages name when they reach the server."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cxr_app.ui.server.current_page import CurrentPage


def asked(page: str, fragment: str = "") -> Message:
    """What a browser sends to have a page, or a fragment of it, run."""
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    return {"type": "websocket.receive", "bytes": message.SerializeToString()}


def with_files(message: Message) -> Message:
    """The same message, which reports a file in a box of the page as well."""
    both = BackMsg.FromString(message["bytes"])
    box = both.rerun_script.widget_states.widgets.add(id="films")
    box.file_uploader_state_value.uploaded_file_info.add(file_id="1", name="film.dcm")
    return {**message, "bytes": both.SerializeToString()}


def drawn(page: str) -> Message:
    """What the server sends when it draws a page."""
    message = ForwardMsg()
    message.navigation.page_script_hash = page
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def begun(page: str, fragment: str = "") -> Message:
    """What the server sends when the run of a page, or of a fragment of it, begins."""
    message = ForwardMsg()
    message.new_session.page_script_hash = page
    if fragment:
        message.metadata.run.fragment_ids.append(fragment)
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def received(exchange: Sequence[Message]) -> list[Message]:
    """Return what reaches an app in an exchange of messages, in which it sends its own."""
    return exchanged(exchange)[0]


def exchanged(exchange: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Return what reaches the app, and what the browser, in an exchange of messages."""
    from_browser = iter([each for each in exchange if each["type"] == "websocket.receive"])
    reached: list[Message] = []
    told: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        for each in exchange:
            if each["type"] == "websocket.receive":
                reached.append(await receive())
            else:
                await send(each)

    async def receive() -> Message:
        return next(from_browser)

    async def send(message: Message) -> None:
        told.append(message)

    asyncio.run(CurrentPage(app)({"type": "websocket"}, receive, send))
    return reached, told


@pytest.mark.parametrize(
    ("before", "page"),
    [
        ([drawn("start"), asked("upload")], "upload"),
        ([drawn("start"), asked("upload"), drawn("upload")], "upload"),
        # A script has switched the page.
        ([asked("start"), begun("start"), drawn("film")], "film"),
        ([drawn("start"), asked("")], "start"),  # asked for by its name: unknown as yet
        ([], "start"),
        # An earlier run still says what it draws after another page has been asked for.
        ([drawn("film"), asked("list"), drawn("film")], "list"),
        ([asked("list"), begun("film"), drawn("film")], "list"),
        ([asked("list"), begun("list", "films"), drawn("film")], "list"),
        ([asked("list"), drawn("film"), begun("list")], "list"),
        ([asked("list"), begun("list"), begun("film"), drawn("film")], "film"),
        ([asked("list"), asked("upload"), begun("upload"), drawn("film")], "film"),
    ],
)
def test_a_fragment_names_the_page_asked_for_or_drawn_last(
    before: list[Message], page: str
) -> None:
    *_, last = received([*before, asked("start", "banner")])
    assert BackMsg.FromString(last["bytes"]).rerun_script.page_script_hash == page


def test_a_run_of_a_fragment_that_began_on_an_earlier_page_names_the_page_drawn_since() -> None:
    late = [asked("list", "films"), begun("film"), drawn("film"), begun("list", "films")]
    told = exchanged([drawn("list"), *late])[1]
    sessions = [ForwardMsg.FromString(each["bytes"]).new_session for each in told]
    assert [each.page_script_hash for each in sessions if each.page_script_hash] == ["film"] * 2


def test_a_run_of_a_whole_page_names_its_own_page() -> None:
    messages = [drawn("list"), begun("film")]
    assert exchanged(messages)[1] == messages


def test_whatever_else_comes_is_passed_on_as_it_is() -> None:
    others: list[Message] = [
        {"type": "websocket.receive", "bytes": b"\xff\xff\xff"},
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.receive", "bytes": BackMsg(stop_script=True).SerializeToString()},
        asked("film"),
    ]
    assert received([drawn("start"), *others]) == others


@pytest.mark.parametrize("before", [[], [drawn("upload")]])
def test_files_that_are_reported_with_a_fragment_have_the_whole_page_run(
    before: list[Message],
) -> None:
    *_, last = received([*before, with_files(asked("upload", "banner"))])
    ran = BackMsg.FromString(last["bytes"]).rerun_script
    assert (ran.fragment_id, ran.page_script_hash) == ("", "upload")
    (box,) = ran.widget_states.widgets
    assert box.file_uploader_state_value.uploaded_file_info


def reporting(message: Message, pressed: str = "", **states: str) -> Message:
    """The same message, which reports a pressed button and states of components as well."""
    full = BackMsg.FromString(message["bytes"])
    widgets = full.rerun_script.widget_states.widgets
    if pressed:
        widgets.add(id=pressed, trigger_value=True)
    for name, value in states.items():
        widgets.add(id=name, json_value=value)
    return {**message, "bytes": full.SerializeToString()}


BEFORE = reporting(asked("film", "banner"), timer="1", viewer="a")


@pytest.mark.parametrize(
    ("now", "fragment"),
    [
        (reporting(asked("film", "banner"), timer="2", viewer="a"), "banner"),
        (reporting(asked("film", "banner"), timer="2", viewer="b"), "banner"),
        (reporting(asked("film", "banner"), "button", timer="1", viewer="a"), "banner"),
        (reporting(asked("film", "banner"), "button", timer="1", viewer="a", new="x"), "banner"),
        (reporting(asked("film", "banner"), "button", timer="2", viewer="a"), ""),
        (reporting(asked("film", "banner"), "button", timer="2", viewer="b"), ""),
    ],
)
def test_a_click_that_is_reported_with_a_fragment_has_the_whole_page_run(
    now: Message, fragment: str
) -> None:
    *_, last = received([drawn("film"), BEFORE, now])
    assert BackMsg.FromString(last["bytes"]).rerun_script.fragment_id == fragment


def test_a_click_beside_an_event_of_a_component_has_the_whole_page_run() -> None:
    message = BackMsg.FromString(reporting(asked("film", "banner"), "button")["bytes"])
    message.rerun_script.widget_states.widgets.add(id="keys", json_trigger_value="{}")
    both: Message = {"type": "websocket.receive", "bytes": message.SerializeToString()}
    *_, last = received([drawn("film"), both])
    assert BackMsg.FromString(last["bytes"]).rerun_script.fragment_id == ""
