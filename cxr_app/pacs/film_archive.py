"""An archive that films are fetched from: searched by C-FIND, fetched by C-GET or C-MOVE.

One by one, because archives end a C-GET of many films at the first that they cannot send. Each
class is proposed in each transfer syntax in a presentation context of its own: of one context with
several, archives choose the one that they like best, and cannot send a film in another.

References
----------
DICOM PS3.4 C.4.1 (C-FIND), C.4.2 (C-MOVE), C.4.3 (C-GET), C.6.2 (study root);
PS3.7 D.3.3.4 (roles).
"""

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydicom import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
from pynetdicom import build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError, FilmNotSentError
from cxr_app.imaging.dicom_decoding import TRANSFER_SYNTAXES
from cxr_app.imaging.dicom_values import text
from cxr_app.imaging.film_identity import read_header
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.pacs.archived_film import (
    PATIENT_KEYS,
    ArchivedFilm,
)
from cxr_app.pacs.association import (
    ArchiveAssociation,
    calling_entity,
    open_association,
    shut_down,
    socket_of,
)
from cxr_app.pacs.film_query import SERIES_KEYS, STUDY_KEYS, FilmQuery
from cxr_app.pacs.film_search import searched_films

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
"""Study Root Query/Retrieve Information Model."""

USUAL_CLASSES = tuple(
    str(uid)
    for uid in (
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
        SecondaryCaptureImageStorage,
    )
)
"""SOP classes that are proposed for films whose class the archive does not state."""
MOST_CLASSES = 6
"""Of an association: 128 contexts are allowed, and each class needs one for each syntax."""
PDU_BYTES = 131_072
_PENDING = (0xFF00, 0xFF01)
_STATUS_WORDS = {
    0xA7: "it is out of resources",
    0xA8: "it does not know this program",
    0xA9: "it does not understand the request",
    0xC0: "it cannot process the request",
    0x01: "it does not allow it",
    0xFE: "it was cancelled",
}
_SERVICES = {
    FIND: "searching (C-FIND)",
    GET: "fetching (C-GET)",
    MOVE: "sending to others (C-MOVE)",
}
_NO_DESTINATION = 0xA801
_NO_UID = "2.25.0"
"""A UID that no study has."""


class FilmArchive(ArchiveAssociation):
    """One association with an archive; use it with ``with``, in one thread.

    Parameters
    ----------
    target
        The archive.
    ae_title
        By which this program calls.
    classes
        SOP classes of the films to fetch; the usual ones if there are none.

    Raises
    ------
    ArchiveError
        On entering, if it cannot be reached or refuses the association.
    """

    def __init__(self, target: Destination, ae_title: str, classes: Collection[str] = ()) -> None:
        self._target = target
        self._classes = sorted({each for each in classes if each} or USUAL_CLASSES)[:MOST_CLASSES]
        self._entity = calling_entity(ae_title)
        self._entity.maximum_pdu_size = PDU_BYTES
        for model in (FIND, GET, MOVE):
            self._entity.add_requested_context(model)
        contexts = [
            build_context(each, syntax) for each in self._classes for syntax in TRANSFER_SYNTAXES
        ]
        self._entity.requested_contexts = [*self._entity.requested_contexts, *contexts]
        self._received: dict[str, list[bytes]] = {}
        self._connection: socket.socket | None = None
        self._is_ended = False

    def end(self) -> None:
        """End the connection, from any thread: what waits for it or asks for one then fails."""
        self._is_ended = True
        if self._connection is not None:
            shut_down(self._connection)

    def _open(self) -> Association:
        return open_association(
            self._entity,
            self._target,
            roles=[build_role(each, scp_role=True) for each in self._classes],
            handlers=[(evt.EVT_C_STORE, self._on_store), (evt.EVT_CONN_OPEN, self._on_connect)],
        )

    def films(self, query: FilmQuery) -> Iterator[ArchivedFilm]:
        """Yield the films that a query asks for, study by study.

        Raises
        ------
        ArchiveError
            If the archive does not search, or not to the end.
        """
        yield from searched_films(query, self._studies, self._series, self._images)

    def check(self) -> None:
        """Check that the archive answers an echo, and searches for this program.

        Raises
        ------
        ArchiveError
            If it does not; the message says what to allow there.
        """
        if self._association.send_c_echo().get("Status") != 0:
            raise ArchiveError(f"{self._target.name} does not answer an echo.")
        self._find("STUDY", {"StudyInstanceUID": _NO_UID})

    def fetch(self, film: ArchivedFilm) -> bytes:
        """Return a film as a file, its dataset as the archive sent it.

        Raises
        ------
        FilmNotSentError
            If the archive answers and does not send this film.
        ArchiveError
            If it does not answer, or ended the association.
        """
        self._received.clear()
        code = None
        for status, _ in self._asked("send_c_get", _named(film), GET):
            code = status.get("Status")
        received = self._received.pop(film.sop_instance_uid, [])
        if received:
            return _in_its_place(received, film)
        if code is None:
            raise self._silence()
        why = _STATUS_WORDS.get(code >> 8, "it has deleted it, or cannot send it as it is stored")
        raise FilmNotSentError(f"{self._target.name} did not send the film: {why} (0x{code:04X}).")

    @property
    def offers_get(self) -> bool:
        """Whether films can be fetched over this association."""
        return any(each.abstract_syntax == GET for each in self._association.accepted_contexts)

    def move(self, film: ArchivedFilm) -> None:
        """Let the archive send a film to the receiver of this program, which enters it.

        Raises
        ------
        FilmNotSentError
            If the archive answers and the film was not received.
        ArchiveError
            If it does not answer, or does not know where the receiver is.
        """
        code, moved = None, 0
        for status, _ in self._asked("send_c_move", _named(film), self._entity.ae_title, MOVE):
            code = status.get("Status")
            moved = status.get("NumberOfCompletedSuboperations") or 0
        name, title = self._target.name, self._entity.ae_title
        if code is None:
            raise self._silence()
        if code == _NO_DESTINATION:
            raise ArchiveError(
                f"{name} does not know where {title} is. Register this program's receiver there, "
                "with its address and port."
            )
        if code != 0 or not moved:
            raise FilmNotSentError(
                f"{name} could not send the film to {title} (0x{code:04X}): it has deleted it, "
                "does not reach the receiver, or was refused; the Connections page says more."
            )

    def _studies(self, keys: Mapping[str, str]) -> Iterable[Dataset]:
        return self._find("STUDY", dict.fromkeys((*STUDY_KEYS, *PATIENT_KEYS), "") | dict(keys))

    def _series(self, study: Dataset) -> Iterable[Dataset]:
        above = {"StudyInstanceUID": text(study, "StudyInstanceUID")}
        return self._find("SERIES", dict.fromkeys(SERIES_KEYS, "") | above)

    def _images(self, study: Dataset, series: Dataset) -> Iterable[Dataset]:
        keys = {
            "StudyInstanceUID": text(study, "StudyInstanceUID"),
            "SeriesInstanceUID": text(series, "SeriesInstanceUID"),
        }
        return self._find("IMAGE", {**keys, "SOPInstanceUID": "", "SOPClassUID": ""})

    def _find(self, level: str, keys: Mapping[str, str]) -> list[Dataset]:
        """Return all answers of a search; a part of them is an error, for a film may be missing."""
        found: list[Dataset] = []
        for status, answer in self._asked("send_c_find", _request(level, keys), FIND):
            code = status.get("Status")
            if code is None:
                raise self._silence()
            if code in _PENDING and answer is None:
                raise ArchiveError(f"{self._target.name} gave an answer that cannot be read.")
            if code in _PENDING and answer is not None:
                found.append(answer)
            elif code != 0:
                why = _STATUS_WORDS.get(code >> 8, "it failed")
                raise ArchiveError(f"{self._target.name} did not search: {why} (0x{code:04X}).")
        return found

    def _asked(self, how: str, request: Dataset, *where: str) -> Iterator[tuple[Dataset, Any]]:
        """Yield what is answered to a request."""
        try:
            yield from getattr(self._association, how)(request, *where)
        except (RuntimeError, ValueError):  # the messages may quote the request
            if not self._association.is_established:
                raise self._silence() from None
            service = _SERVICES[where[-1]]
            raise ArchiveError(
                f"{self._target.name} does not offer {service}. "
                f"Allow it there for {self._entity.ae_title}."
            ) from None

    def _silence(self) -> ArchiveError:
        return ArchiveError(
            f"{self._target.name} did not answer in time, or ended the association. Check that "
            f"{self._entity.ae_title} is registered there and may search (C-FIND) and fetch "
            "(C-GET or C-MOVE)."
        )

    def _on_connect(self, event: evt.Event) -> None:
        """Learn of the connection, which is ended at once if nobody wants it any longer."""
        self._connection = socket_of(event)
        if self._is_ended:
            self.end()

    def _on_store(self, event: evt.Event) -> int:
        """Receive a film that was asked for."""
        request: Any = event.request
        if request.DataSet is None or request.DataSet.getbuffer().nbytes > MAX_FILE_BYTES:
            return 0xA700
        uid = str(request.AffectedSOPInstanceUID)
        self._received.setdefault(uid, []).append(event.encoded_dataset())
        return 0x0000


def _in_its_place(received: list[bytes], film: ArchivedFilm) -> bytes:
    """Return the film of the series that was asked for: some archives have several with one UID.

    Orthanc sends all of them, whichever series is named.
    """
    place = film.study_instance_uid, film.series_instance_uid
    for data in received[:-1]:
        header = read_header(data)
        if header and (header.study_instance_uid, header.series_instance_uid) == place:
            return data
    return received[-1]


def _named(film: ArchivedFilm) -> Dataset:
    """Return a request for one film."""
    return _request(
        "IMAGE",
        {
            "StudyInstanceUID": film.study_instance_uid,
            "SeriesInstanceUID": film.series_instance_uid,
            "SOPInstanceUID": film.sop_instance_uid,
        },
    )


def _request(level: str, keys: Mapping[str, str]) -> Dataset:
    request = Dataset()
    request.SpecificCharacterSet = "ISO_IR 192"
    request.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(request, keyword, value)
    return request
