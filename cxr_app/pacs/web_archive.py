"""An archive that speaks DICOMweb: objects are sent by STOW-RS, each in a request of its own.

What the answer names as stored counts, not the HTTP status: a page that answers 200 to everything
is no archive.

References
----------
DICOM PS3.18 10.5 (Store Transaction), I.2 (Store Instances Response Module).
"""

from io import BytesIO
from typing import Any, Self
from uuid import uuid4

import httpx
from pydicom import Dataset

from cxr_app.errors import ArchiveError
from cxr_app.pacs.archive import DUPLICATE, HAD_IT
from cxr_app.pacs.web_connection import CLIENT_ERRORS, NO_SEARCH, WebConnection

_REFERENCED, _FAILED = "00081199", "00081198"
_INSTANCE, _REASON, _WARNING = "00081155", "00081197", "00081196"


class WebArchive(WebConnection):
    """A DICOMweb archive that takes objects; use it with ``with``, in one thread.

    Parameters
    ----------
    destination
        Its address.
    authorization
        Value of the header of that name; empty for none.

    Raises
    ------
    ArchiveError
        On entering, if it cannot be reached or does not accept the login.
    """

    _search_status = 0

    def __enter__(self) -> Self:
        answer = self._begin(NO_SEARCH)
        self._search_status = answer.status_code
        return self

    def echo(self) -> None:
        """Check that the search on entering was answered as a DICOMweb server answers.

        Raises
        ------
        ArchiveError
            If it was not.
        """
        status = self._search_status
        if status in CLIENT_ERRORS and status not in NO_SEARCH:
            raise ArchiveError(
                f"{self._name} answers a search by HTTP {status}. Check the path of its address."
            )

    def store(self, result: Dataset) -> str:
        """Send an object; once this returns, the archive has named it as stored.

        Returns
        -------
        str
            What the archive remarked; empty if nothing.

        Raises
        ------
        ArchiveError
            If it refuses the object, or does not name it as stored.
        """
        boundary = uuid4().hex
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        content, headers = _body(result, boundary), {"Content-Type": kind}
        answer = self._ask("POST", "/studies", content=content, headers=headers)
        named = _as_json(answer)
        instance = str(result.SOPInstanceUID)
        stored = _find(named, _REFERENCED, instance)
        if stored is not None:
            warning = _value(stored, _WARNING)
            return f"stored with a warning ({_hexadecimal(warning)})" if warning else ""
        failed = _find(named, _FAILED, instance)
        if failed is None:
            self._check_status(answer)
            raise ArchiveError(
                f"{self._name} does not say that it stored the object "
                f"(HTTP {answer.status_code}). Check the path of its address."
            )
        reason = _value(failed, _REASON)
        if reason == DUPLICATE:
            return HAD_IT
        raise ArchiveError(
            f"{self._name} did not store the object: reason {_hexadecimal(reason)} "
            f"(HTTP {answer.status_code})."
        )


def _body(result: Dataset, boundary: str) -> bytes:
    """Return a request with one object, as a file of DICOM PS3.10."""
    file = BytesIO()
    result.save_as(file, enforce_file_format=True)
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join((head, file.getbuffer(), f"\r\n--{boundary}--\r\n".encode()))


def _as_json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _find(answer: dict[str, Any], tag: str, instance: str) -> dict[str, Any] | None:
    """Return the item of a sequence about an instance; an answer of any other form has none."""
    items = (each for each in _values(answer, tag) if isinstance(each, dict))
    return next((each for each in items if _value(each, _INSTANCE) == instance), None)


def _value(item: dict[str, Any], tag: str) -> Any:
    return next(iter(_values(item, tag)), None)


def _values(item: dict[str, Any], tag: str) -> list[Any]:
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _hexadecimal(code: object) -> str:
    return f"0x{code:04X}" if isinstance(code, int) else "unknown"
