"""A window of a reader without a browser: the websocket that a page opens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.browser.driving import Server


@contextmanager
def opened_window(
    server: Server, headers: Mapping[str, str], session: str = ""
) -> Iterator[ClientConnection]:
    """Open a window with the headers of a browser or a proxy, new or with an earlier session."""
    token = headers.get("Cookie", "").partition("_streamlit_xsrf=")[2].partition(";")[0]
    protocols = ("streamlit", token or (session and "none"), session)
    with connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
        origin=Origin(server.url),
        additional_headers=headers,
        subprotocols=[Subprotocol(each) for each in protocols if each],
        open_timeout=60,
    ) as window:
        yield window


def messages_of(window: ClientConnection, name: str = "", query: str = "") -> Iterator[ForwardMsg]:
    """Have a page run in a window, by default the first; yield what the server sends for it."""
    asked = BackMsg()
    asked.rerun_script.query_string = query
    asked.rerun_script.page_name = name
    yield from answers_to(window, asked)


def answers_to(window: ClientConnection, asked: BackMsg) -> Iterator[ForwardMsg]:
    """Send a message from a window; yield what the server sends until the run has ended."""
    window.send(asked.SerializeToString())
    yield from messages_of_run(window)


def messages_of_run(window: ClientConnection) -> Iterator[ForwardMsg]:
    """Yield what the server sends until the run has ended."""
    while True:
        message = window.recv(timeout=60)
        told = ForwardMsg.FromString(message if isinstance(message, bytes) else b"")
        yield told
        if told.HasField("script_finished"):
            return


def run_page(window: ClientConnection, name: str = "", query: str = "") -> str:
    """Have a page run in a window, by default the first; return what the server sends for it."""
    return "".join(map(str, messages_of(window, name, query)))


def shown_in_window(server: Server, cookie: str) -> str:
    """Return what the server sends for the start page into a new window with this cookie."""
    with opened_window(server, {"Cookie": cookie} if cookie else {}) as window:
        return run_page(window)
