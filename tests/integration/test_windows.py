"""Windows and routes of a server behind a proxy that names readers: asked by nobody and by others.

With real requests and real websockets, as a browser sends them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from tests.browser.driving import ServerWithTinyModel
from tests.browser.window import messages_of, opened_window
from tests.support.desk import Desk
from tests.support.films import jpeg

HEADER = "X-Forwarded-User"
PATIENCE = 60


class ServerBehindProxy(ServerWithTinyModel):
    """A server that believes who a proxy on this computer says a reader is."""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {
            "CXR_SIGN_IN": "proxy",
            "CXR_READER_HEADER": HEADER,
            "CXR_DICOMWEB_TOKEN": "secret",
            "CXR_METRICS_TOKEN": "secret",
        }


MOST_RUNS = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerBehindProxy, str]]:
    folder: Path = tmp_path_factory.mktemp("proxied")
    desk = Desk(folder / "data")
    film = desk.enter(jpeg(1), 0.8, "film.jpeg")
    desk.worklist.close()
    with ServerBehindProxy(folder / "data", folder / "output.txt") as server:
        yield server, film


def status(server: ServerBehindProxy, method: str, path: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request(method, path, headers=headers)
    found = connection.getresponse().status
    connection.close()
    return found


def window(
    server: ServerBehindProxy, name: str = "", session: str = ""
) -> AbstractContextManager[ClientConnection]:
    """Open the websocket of a window, new or with the id of a session that was there before."""
    return opened_window(server, {HEADER: name} if name else {}, session)


def session_of(opened: ClientConnection) -> str:
    """Have the window's page run; return the id of its session.

    The end of an earlier run may come first, where a session is resumed: the page runs again then.
    """
    for _ in range(MOST_RUNS):
        for told in messages_of(opened):
            if told.HasField("new_session"):
                return str(told.new_session.initialize.session_id)
    raise AssertionError("no run of the page told its session")


def test_a_window_opens_only_for_a_person_whom_the_proxy_names(
    site: tuple[ServerBehindProxy, str],
) -> None:
    server, _ = site
    with pytest.raises(InvalidStatus) as refused, window(server):
        pass
    assert refused.value.response.status_code in (401, 403)
    with window(server, "Weiss") as mine:
        assert session_of(mine)


def test_a_window_is_resumed_by_its_own_person_alone(site: tuple[ServerBehindProxy, str]) -> None:
    server, _ = site
    with window(server, "Weiss") as mine:
        session = session_of(mine)
        with window(server, "Ada", session) as stolen:
            assert session_of(stolen) != session, "while it is open"
    with window(server, "Ada", session) as stolen:
        assert session_of(stolen) != session, "while it waits for its reader"
    with window(server, "Weiss", session) as again:
        assert session_of(again) == session


def test_films_need_a_name_and_programs_their_token(site: tuple[ServerBehindProxy, str]) -> None:
    server, film = site
    for path in (f"/films/{film}", f"/films/{film}/heat", f"/films/{film}/small"):
        assert status(server, "GET", path) == 401
        assert status(server, "GET", path, **{HEADER: "Weiss"}) == 200
    for method, path, taken in (("POST", "/dicom-web/studies", 415), ("GET", "/metrics", 200)):
        assert status(server, method, path) == 401
        assert status(server, method, path, **{HEADER: "Weiss"}) == 401, "a name is no token"
        assert status(server, method, path, Authorization="Bearer secret") == taken
