"""Keeps what a component says on the page that its reader has gone to.

A component's message names the page that it was drawn on. One that is sent while the server has not
yet answered a click on a link still names the page that the click leaves: Streamlit runs the
component's fragment on that page, tells the browser so, and the browser drops all that the new page
has drawn. Nothing draws it again, and the reader looks at an empty page. Where a film is opened, it
is the server that goes to another page, and nobody knows until it says so: a second click on the
list that comes before then names the list. What the run of its fragment tells names the film's page
instead.

A run that is under way when another page is asked for may say only then which page it draws. This
is the earlier page: a fragment asked for before the new page's run has begun is folded into it,
and takes it to the page that the fragment names.

And a browser that has files or a click to report just as a component reports too sends one message
for both, which names the component's fragment: only that would run, and files and click would be
taken by nobody.
"""

from collections.abc import Mapping

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState


class CurrentPage:
    """Middleware that has a fragment run on the page asked for or drawn last, in each window."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; what names an earlier page names the current one instead."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        window = _Window()

        async def receive_on_page() -> Message:
            return window.on_page(await receive())

        async def send_on_page(message: Message) -> None:
            await send(window.told_on_page(message))

        await self._app(scope, receive_on_page, send_on_page)


class _Window:
    """What a browser's window shows.

    Attributes
    ----------
    page
        Hash of the page that was asked for or drawn last; empty if it is unknown.
    awaited
        Hash of the page that was asked for last while its run has not begun; empty otherwise.
    states
        What the last message said of each widget, as it was encoded.
    """

    def __init__(self) -> None:
        self.page = ""
        self.awaited = ""
        self.states: Mapping[str, bytes] = {}

    def on_page(self, message: Message) -> Message:
        """Return a message from the browser; a fragment's names the current page.

        One with files, or with a click beside something else, names no fragment: the whole page
        runs, which takes them.
        """
        asked = _rerun_asked(message)
        if asked is None:
            return message
        before, self.states = self.states, _states(asked)
        if not asked.rerun_script.fragment_id:
            self.page = self.awaited = asked.rerun_script.page_script_hash
            return message
        if _has_files(asked) or _has_click_beside_another(asked, before, self.states):
            asked.rerun_script.fragment_id = ""
        if self.page:
            asked.rerun_script.page_script_hash = self.page
        return {**message, "bytes": asked.SerializeToString()}

    def told_on_page(self, message: Message) -> Message:
        """Return a message to the browser; the run of a fragment names the current page.

        The server says which page it draws, unless a fragment alone runs.
        """
        if not message.get("bytes"):
            return message
        told = ForwardMsg.FromString(message["bytes"])
        if told.HasField("navigation") and not self.awaited:
            self.page = told.navigation.page_script_hash
        elif told.HasField("new_session"):
            return self._begun_on_page(message, told)
        return message

    def _begun_on_page(self, message: Message, told: ForwardMsg) -> Message:
        if not told.metadata.run.fragment_ids:
            if told.new_session.page_script_hash == self.awaited:
                self.awaited = ""
            return message
        if not self.page:
            return message
        told.new_session.page_script_hash = self.page
        return {**message, "bytes": told.SerializeToString()}


def _has_files(asked: BackMsg) -> bool:
    """Return whether files wait in a box of the page; no fragment has such a box."""
    states = asked.rerun_script.widget_states.widgets
    return any(each.file_uploader_state_value.uploaded_file_info for each in states)


def _has_click_beside_another(
    asked: BackMsg, before: Mapping[str, bytes], now: Mapping[str, bytes]
) -> bool:
    """Return whether a button was pressed and another widget reports, too.

    Which of them the fragment belongs to is not known. A widget that was never heard of has only
    been drawn.
    """
    widgets = asked.rerun_script.widget_states.widgets
    pressed = {each.id for each in widgets if each.trigger_value}
    changed = {name for name, state in now.items() if before.get(name, state) != state}
    once = {each.id for each in widgets if _is_told_once(each)}
    return bool(pressed) and len(pressed | changed | once) > 1


def _is_told_once(state: WidgetState) -> bool:
    """Return whether a component tells of an event, not of a state that it keeps."""
    return state.WhichOneof("value") in {"json_trigger_value", "string_trigger_value"}


def _states(asked: BackMsg) -> dict[str, bytes]:
    return {
        each.id: each.SerializeToString(deterministic=True)
        for each in asked.rerun_script.widget_states.widgets
    }


def _rerun_asked(message: Message) -> BackMsg | None:
    """Return what a browser asks to run; None if it asks for something else, or makes no sense."""
    if not message.get("bytes"):
        return None
    try:
        asked = BackMsg.FromString(message["bytes"])
    except DecodeError:  # Streamlit says so
        return None
    return asked if asked.HasField("rerun_script") else None
