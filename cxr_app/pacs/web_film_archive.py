"""A DICOMweb archive that films are fetched from: searched by QIDO-RS, fetched by WADO-RS.

Some servers ignore a key that they do not know, ``limit`` or ``offset``: what is answered is
compared again, and a page that brings nothing new is the last. Others send fewer answers than they
were asked for, whatever they have: a page that is not full need not be the last.

References
----------
DICOM PS3.18 8.3.4 (query parameters of a search), 10.6 (Search Transaction), 10.4 (Retrieve
Transaction), F (DICOM JSON Model).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import httpx
from pydicom import Dataset
from python_multipart.multipart import parse_options_header

from cxr_app.errors import ArchiveError, FilmNotSentError
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.pacs.answer_wait import FETCH_SECONDS
from cxr_app.pacs.archived_film import PATIENT_KEYS, ArchivedFilm
from cxr_app.pacs.film_query import SERIES_KEYS, STUDY_KEYS, FilmQuery
from cxr_app.pacs.film_search import searched_films
from cxr_app.pacs.related_parts import MalformedBodyError, RelatedParts
from cxr_app.pacs.web_connection import DICOM_JSON, WebConnection

AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
PAGE = 200
"""Answers asked for at once."""
MOST_PAGES = 500
FEWEST_CUT = 10
"""Answers from which on an archive may have cut a page short without a word."""
_UID = re.compile(r"[0-9.]{1,64}")
_NO_ANSWER = 204
_MORE = "299"
"""Warning of an archive that has more answers."""
_NOT_THERE = (404, 410)
_NOT_AS_STORED = (406, 415)


class WebFilmArchive(WebConnection):
    """A DICOMweb archive that films come from; use it with ``with``, in one thread.

    Raises
    ------
    ArchiveError
        On entering, if it cannot be reached, does not accept the login, or does not search.
    """

    def __enter__(self) -> Self:
        first = self._begin()
        try:
            self._answers(first)
        except ArchiveError:
            self._client.close()
            raise
        return self

    def films(self, query: FilmQuery) -> Iterator[ArchivedFilm]:
        """Yield the films that a query asks for, study by study.

        Raises
        ------
        ArchiveError
            If the archive does not search, or not to the end.
        """
        yield from searched_films(query, self._studies, self._series, self._images)

    def fetch(self, film: ArchivedFilm) -> bytes:
        """Return a film as a file, as the archive stores it.

        Raises
        ------
        FilmNotSentError
            If the archive answers and does not send this film.
        ArchiveError
            If it does not answer.
        """
        path = (
            f"/studies/{_uid(film.study_instance_uid)}/series/{_uid(film.series_instance_uid)}"
            f"/instances/{_uid(film.sop_instance_uid)}"
        )
        with (
            self._in_words(FETCH_SECONDS),
            self._client.stream("GET", f"{self._url}{path}", headers={"Accept": AS_STORED}) as sent,
        ):
            self._check_film(sent)
            data = _film_in(sent)
        if data is None:
            raise FilmNotSentError(f"{self._name} did not send the film: it sent no DICOM file.")
        return data

    def check(self) -> None:
        """Check that the search on entering was answered: it is an error by then if not."""

    def _check_film(self, sent: httpx.Response) -> None:
        status = sent.status_code
        if status in _NOT_THERE:
            why = "it has deleted it, or has several films with its SOP Instance UID"
        elif status in _NOT_AS_STORED:
            why = "it cannot send it as it is stored"
        else:
            self._check_status(sent)
            if sent.is_success:
                return
            why = "it failed"
        raise FilmNotSentError(f"{self._name} did not send the film: {why} (HTTP {status}).")

    def _studies(self, keys: Mapping[str, str]) -> Iterable[Dataset]:
        wanted = {name: value for name, value in keys.items() if value}
        return self._find("/studies", wanted, (*STUDY_KEYS, *PATIENT_KEYS))

    def _series(self, study: Dataset) -> Iterable[Dataset]:
        return self._find(_series_of(study), {}, SERIES_KEYS)

    def _images(self, study: Dataset, series: Dataset) -> Iterable[Dataset]:
        within = f"{_series_of(study)}/{_uid(text(series, 'SeriesInstanceUID'))}/instances"
        return self._find(within, {}, ("SOPInstanceUID", "SOPClassUID"))

    def _find(self, path: str, keys: Mapping[str, str], wanted: tuple[str, ...]) -> list[Dataset]:
        """Return all answers to a search; a part of them is an error, for a film may be missing."""
        found: dict[str, Dataset] = {}
        number = 0
        for _ in range(MOST_PAGES):
            limits = {"limit": str(PAGE), "offset": str(number)}
            fields = {"includefield": list(wanted)}  # some read no list with escaped commas
            page = self._ask("GET", path, params={**keys, **fields, **limits})
            answers = self._answers(page)
            known = len(found)
            found |= {_key(each): each for each in answers}
            number += len(answers)
            if len(found) == known or not _may_be_cut(page, len(answers)):
                return list(found.values())
        raise ArchiveError(f"{self._name} found more than can be fetched. Ask for fewer days.")

    def _answers(self, answer: httpx.Response) -> list[Dataset]:
        """Return what an archive answered to a search."""
        self._check_status(answer)
        if answer.status_code == _NO_ANSWER:
            return []
        if not answer.is_success:
            raise ArchiveError(
                f"{self._name} answers a search by HTTP {answer.status_code}. "
                "Check the path of its address."
            )
        found = _as_datasets(answer)
        if found is None:
            raise ArchiveError(
                f"{self._name} gave an answer to a search that is no {DICOM_JSON}. "
                "Check the path of its address."
            )
        return found


def _may_be_cut(page: httpx.Response, number: int) -> bool:
    """Check whether an archive may have more answers than it has sent."""
    return number >= FEWEST_CUT or page.headers.get("Warning", "").startswith(_MORE)


def _as_datasets(answer: httpx.Response) -> list[Dataset] | None:
    """Return the items of an answer in DICOM JSON; None for any other."""
    try:
        items: Any = answer.json()
        return [Dataset.from_json(each) for each in items] if isinstance(items, list) else None
    except Exception:  # noqa: BLE001 - whatever pydicom makes of it; messages may quote it
        return None


def _key(answer: Dataset) -> str:
    """Return the UID of what an answer is about, the innermost that it has."""
    names = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    return next(filter(None, (text(answer, name) for name in names)), "")


def _series_of(study: Dataset) -> str:
    return f"/studies/{_uid(text(study, 'StudyInstanceUID'))}/series"


def _uid(written: str) -> str:
    """Return a UID that is one: it becomes part of an address."""
    if not _UID.fullmatch(written):
        raise ArchiveError("The archive gave an answer without a valid UID.")
    return written


def _film_in(sent: httpx.Response) -> bytes | None:
    """Return the DICOM file of an answer, from the first part or the whole body; None if none."""
    kind, options = parse_options_header(sent.headers.get("Content-Type", ""))
    if kind.lower() == b"application/dicom":
        return _whole(sent)
    boundary = options.get(b"boundary")
    if kind.lower() != b"multipart/related" or not boundary:
        return None
    parts = RelatedParts(boundary, MAX_FILE_BYTES)
    try:
        for chunk in sent.iter_bytes():
            done = parts.take(chunk)
            if done and not done[0].is_too_large:
                return done[0].data
            if done or parts.is_too_large:  # and what may still come is not waited for
                return None
    except MalformedBodyError:
        return None
    return None


def _whole(sent: httpx.Response) -> bytes | None:
    data = bytearray()
    for chunk in sent.iter_bytes():
        data += chunk
        if len(data) > MAX_FILE_BYTES:
            return None
    return bytes(data)
