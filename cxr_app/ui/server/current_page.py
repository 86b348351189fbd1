"""Keeps what a component says on the page that its reader has gone to.

A component's message names the page that it was drawn on. One that is sent while the server has not
yet answered a click on a link still names the page that the click leaves: Streamlit runs the
component's fragment on that page, tells the browser so, and the browser drops all that the new page
has drawn. Nothing draws it again, and the reader looks at an empty page.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class CurrentPage:
    """Middleware that has a fragment run on the page asked for or drawn last, in each window."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; a message that names an earlier page names the current one instead."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        page = ""

        async def receive_on_page() -> Message:
            nonlocal page
            message = await receive()
            if not message.get("bytes"):
                return message
            asked = BackMsg.FromString(message["bytes"])
            if not asked.HasField("rerun_script"):
                return message
            if not asked.rerun_script.fragment_id:
                page = asked.rerun_script.page_script_hash
            elif page:
                asked.rerun_script.page_script_hash = page
                return {**message, "bytes": asked.SerializeToString()}
            return message

        async def send_and_follow(message: Message) -> None:
            nonlocal page
            if message.get("bytes"):
                told = ForwardMsg.FromString(message["bytes"])
                if told.HasField("navigation"):  # not sent when a fragment alone runs
                    page = told.navigation.page_script_hash
            await send(message)

        await self._app(scope, receive_on_page, send_and_follow)
