"""Connections with an archive by HTTP, bounded in time, with words for each failure.

References
----------
DICOM PS3.18 8 (common aspects), 10.6 (Search Transaction).
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import httpx

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError
from cxr_app.pacs.association import ANSWER_SECONDS, CONNECT_SECONDS
from cxr_app.pacs.exchange_limit import ExchangeLimit

DICOM_JSON = "application/dicom+json"
NO_SEARCH = (403, 405, 501)
"""Answers to a search of archives that take objects only."""
CLIENT_ERRORS = range(400, 500)
EXCHANGE_SECONDS = 90.0
"""Longest time of a search, or of sending an object: a slow archive must not outlast the claim."""
_SERVER_ERRORS = range(500, 600)
_MOVED = range(300, 400)
_NO_LOGIN = (401, 403, 407)

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request


class WebConnection:
    """Connections with an archive by HTTP; use it with ``with``, in one thread.

    The certificates that the system trusts are trusted. Redirections are not followed: objects and
    login go to the address that the settings name.

    Parameters
    ----------
    destination
        Its address.
    authorization
        Value of the header of that name; empty for none.

    Attributes
    ----------
    is_open
        Whether the archive answers.
    """

    def __init__(self, destination: Destination, authorization: str = "") -> None:
        self._name, self._url = destination.name, destination.url
        self._limit = ExchangeLimit()
        headers = {"Authorization": authorization} if authorization else {}
        self._client = httpx.Client(
            headers=headers | {"Accept": DICOM_JSON},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            verify=ssl.create_default_context(),
            event_hooks={"request": [self._limit.follow]},
        )
        self.is_open = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_open = False
        self._client.close()

    def end(self) -> None:
        """End the connection, from any thread: what waits for it or asks for one then fails."""
        self._limit.end()

    def _begin(self, accepted: tuple[int, ...] = ()) -> httpx.Response:
        """Return the answer to a first search, which shows whether address and login are right.

        Parameters
        ----------
        accepted
            Statuses that are no error, beside those that are none anyway.

        Raises
        ------
        ArchiveError
            If the archive cannot be reached or does not accept the login.
        """
        try:
            answer = self._ask("GET", "/studies", params={"limit": "1"})
            if answer.status_code not in accepted:
                self._check_status(answer)
        except ArchiveError:
            self._client.close()
            raise
        self.is_open = True
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._in_words(EXCHANGE_SECONDS):
            return self._client.request(method, f"{self._url}{path}", **options)

    @contextmanager
    def _in_words(self, seconds: float) -> Iterator[None]:
        """Raise what the administrator can do about a request that failed or took too long.

        Parameters
        ----------
        seconds
            Longest time of the whole exchange.

        Raises
        ------
        ArchiveError
            In place of httpx's errors, whose messages may quote the request.
        """
        try:
            with self._limit.within(seconds):
                yield
        except (httpx.TimeoutException, TimeoutError):
            self.is_open = False
            raise ArchiveError(f"{self._name} did not answer in time.") from None
        except httpx.HTTPError as error:
            self.is_open = False
            why = "its certificate" if _is_about_certificate(error) else "its address, firewalls"
            raise ArchiveError(
                f"{self._name} cannot be reached. Check that it runs, and {why}."
            ) from None

    def _check_status(self, answer: httpx.Response) -> None:
        """Raise what the administrator can do about a status, if there is anything."""
        status = answer.status_code
        if status in _NO_LOGIN:
            self.is_open = False
            raise ArchiveError(
                f"{self._name} does not accept the login (HTTP {status}). Check "
                "CXR_RESULTS_LOGINS, and what the login may do there."
            )
        if status in _MOVED:
            raise ArchiveError(
                f"{self._name} sends requests on to another address (HTTP {status}). Name that one."
            )
        if status in _SERVER_ERRORS:
            raise ArchiveError(f"{self._name} is in trouble (HTTP {status}). Check its log.")


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
