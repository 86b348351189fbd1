"""Earlier films of a film's patient, looked for in the archive and fetched into the worklist.

`patient_identity` decides whose films they are, twice: by what the archive answers, and by the
header of each film that came. What is another patient's, or may be, is not kept.
"""

import logging
import re
import threading
from dataclasses import dataclass, replace
from typing import Literal

from cxr_app import log_privacy
from cxr_app.errors import ArchiveError, CxrError, FilmNotSentError, PacsError
from cxr_app.film_store import FilmStore
from cxr_app.imaging.film_identity import read_header
from cxr_app.pacs import store_answers
from cxr_app.pacs.archived_film import ArchivedFilm
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.film_query import DEFAULT_MODALITIES, FilmQuery, study_day
from cxr_app.pacs.film_sources import film_source
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.pacs.storing import Storing
from cxr_app.pacs.web_film_archive import WebFilmArchive
from cxr_app.patient_identity import is_patient_id, name_different_patients, same_patient
from cxr_app.radiograph import Header
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.earlier_films import is_earlier

logger = logging.getLogger(__name__)

MOST_FILMS = 20
"""Films that are fetched for one film, the newest first."""
_WILD = set("*?\\")
_ODD = re.compile(r"[^A-Za-z0-9._~-]")
"""What is escaped in an address; Orthanc's plug-in 1.7 finds no id with such a character."""
NOT_SEARCHED = (
    "Some DICOMweb archives find no Patient ID that has a space or a sign such as ^: look there by "
    "hand too."
)

LookupState = Literal["searching", "fetching", "cancelling", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class LookupStatus:
    """How far a look into the archive is.

    Parameters
    ----------
    state
        What it does, or how it ended.
    wanted, fetched
        Films to fetch, and films that came or were there already.
    entry_ids
        Of the films that came.
    message
        Why it failed; of one that is done, what is missing. Names no patient.
    """

    state: LookupState = "searching"
    wanted: int = 0
    fetched: int = 0
    entry_ids: tuple[str, ...] = ()
    message: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.state in ("searching", "fetching", "cancelling")


class ArchiveLookup:
    """One look into the archive, in a thread of its own.

    Parameters
    ----------
    settings
        The archive's address, and this program's title.
    worklist
        Where films are entered.
    header
        Of the film whose patient's earlier films are wanted.
    entry_id
        Of that film's entry, by which the receiver knows whose films come by C-MOVE.
    """

    def __init__(
        self, settings: Settings, worklist: Worklist, header: Header, entry_id: str
    ) -> None:
        store = FilmStore(settings.films_dir)
        self._settings = settings
        self._worklist = worklist
        self._header = header
        self._entry_id = entry_id
        self._storing = Storing(Reception(store, worklist), store.root)
        self._status = LookupStatus()
        self._cancelled = threading.Event()
        self._searched: FilmArchive | WebFilmArchive | None = None
        self._missing: list[str] = []
        self._thread = threading.Thread(target=self._run, name="archive-lookup", daemon=True)

    def start(self) -> None:
        """Start to look."""
        self._thread.start()

    def cancel(self) -> None:
        """End a search at once, else after the film in hand; what has come stays."""
        self._cancelled.set()
        if self._searched is not None:
            self._searched.end()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    def status(self) -> LookupStatus:
        """Return how far it is."""
        status = self._status
        if status.is_active and self._cancelled.is_set():
            return replace(status, state="cancelling")
        return status

    def _run(self) -> None:
        try:
            self._look()
        except CxrError as error:
            self._end("failed", str(error))
        except Exception as error:  # noqa: BLE001 - the message may quote patient data
            logger.error("A look into the archive failed:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
            self._end("failed", "The program itself failed; see the server's log.")

    def _look(self) -> None:
        target = self._settings.film_archive
        if target is None:
            raise PacsError("No archive is named: set CXR_FILMS_FROM.")
        found = self._search(film_source(target, self._settings))
        found.sort(key=lambda film: film.header.study_date + film.header.study_time, reverse=True)
        if not found and target.url and _ODD.search(self._header.patient_id):
            self._missing.append(NOT_SEARCHED)
        new = [film for film in found if not self._entries_of(film)]
        wanted, left = new[:MOST_FILMS], len(new[MOST_FILMS:])
        if left:
            self._missing.append(f"The archive has {left} more; look there again for them.")
        self._status = LookupStatus("fetching", wanted=len(wanted))
        self._fetch(wanted)
        self._end("done", " ".join(dict.fromkeys(self._missing)))

    def _search(self, archive: FilmArchive | WebFilmArchive) -> list[ArchivedFilm]:
        """Return the films that are wanted; whoever cancels ends the connection."""
        query = earlier_films_query(self._header)
        self._searched = archive
        if self._cancelled.is_set():  # before the archive was known
            archive.end()
        with archive:
            found = [
                film
                for film in archive.films(query)
                if film.may_be_film and is_wanted(film.header, self._header)
            ]
        self._searched = None
        return found

    def _entries_of(self, film: ArchivedFilm) -> list[str]:
        """Return the entries that have this film; another patient's may have the same UID."""
        alike = self._worklist.instances.alike("", "", film.sop_instance_uid)
        ids = dict.fromkeys(each.entry_id for each in alike if not each.is_deleted)
        return [
            entry.id
            for entry in self._worklist.entries_by_ids(ids)
            if entry.header is None or not name_different_patients(entry.header, self._header)
        ]

    def _fetch(self, films: list[ArchivedFilm]) -> None:
        target = self._settings.film_archive
        if target is None or not films or self._cancelled.is_set():
            return
        classes = {film.sop_class_uid for film in films}
        with film_source(target, self._settings, classes) as archive:
            mover = self._mover(archive, films)
            for film in films:
                if self._cancelled.is_set():
                    return
                try:
                    if mover is not None:
                        self._move(mover, film)
                    else:
                        self._receive(archive.fetch(film), film, target.name)
                except FilmNotSentError as error:
                    self._missing.append(str(error))

    def _mover(
        self, archive: FilmArchive | WebFilmArchive, films: list[ArchivedFilm]
    ) -> FilmArchive | None:
        """Return the archive if films come by C-MOVE, once the receiver knows what was asked for.

        Raises
        ------
        PacsError
            If there is no receiver.
        """
        if not isinstance(archive, FilmArchive):
            return None
        if archive.offers_get and not self._settings.films_by_move:
            return None
        if self._settings.dicom_port is None:
            raise PacsError(
                "The films come by C-MOVE, for which this program must receive: set "
                "CXR_DICOM_PORT, and register the receiver in the archive."
            )
        uids = [film.sop_instance_uid for film in films]
        self._worklist.film_requests.ask(self._entry_id, uids)
        return archive

    def _move(self, archive: FilmArchive, film: ArchivedFilm) -> None:
        """Let a film come to the receiver, which has entered it once the archive answers."""
        try:
            archive.move(film)
        except FilmNotSentError:
            if not self._entries_of(film):  # else it has come, and another with its UID has not
                raise
        arrived = self._entries_of(film)
        if arrived:
            self._note_arrived(arrived[0])
        else:
            self._missing.append("A film that the archive sent is not in the list.")

    def _receive(self, data: bytes, film: ArchivedFilm, source: str) -> None:
        """Keep and enter a film, if it is the patient's by its own header."""
        header = read_header(data)
        if header is not None and not is_wanted(header, self._header):
            self._missing.append("A film was left out: its header does not name this patient.")
            return
        announced = (film.sop_class_uid, film.sop_instance_uid) if film.sop_class_uid else None
        stored = self._storing.take(data, source, announced)
        if stored.answer is store_answers.NO_ROOM:
            raise ArchiveError("A film could not be kept: disk or database are out of room.")
        if not stored.answer.is_success:
            self._missing.append(f"A film was left out. {stored.answer.comment}")
        elif stored.arrived is not Arrived.OWN_RESULT:
            self._note_arrived(stored.entry_id)

    def _note_arrived(self, entry_id: str) -> None:
        status = self._status
        ids = (*status.entry_ids, entry_id)
        self._status = replace(status, fetched=status.fetched + 1, entry_ids=ids)

    def _end(self, state: LookupState, message: str) -> None:
        if self._cancelled.is_set():  # whatever failed then is of no interest
            state, message = "cancelled", ""
        self._status = replace(self._status, state=state, message=message)


def earlier_films_query(header: Header) -> FilmQuery:
    """Return what to ask an archive for, for a patient's films up to one.

    The issuer of the Patient ID is asked back and compared here: archives that do not know it
    would find nothing by it.

    Raises
    ------
    PacsError
        If the film does not say whose it is, or of which day.
    """
    if not is_patient_id(header.patient_id):
        raise PacsError(
            "The film has no Patient ID that tells patients apart, so no earlier film can be "
            "looked for."
        )
    if _WILD & set(header.patient_id):
        raise PacsError(
            "The film's Patient ID holds a wildcard (*, ? or \\), so an archive cannot be asked "
            "for it."
        )
    day = study_day(header.study_date)
    if day is None:
        raise PacsError("The film has no study date, so no film can be earlier.")
    keys = {"PatientID": header.patient_id}
    return FilmQuery(None, day, DEFAULT_MODALITIES, keys, {}, "")


def is_wanted(film: Header, header: Header) -> bool:
    """Check whether a film is an earlier one of the same patient."""
    return same_patient(film, header) and is_earlier(film, header)
