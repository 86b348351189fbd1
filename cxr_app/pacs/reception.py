"""A film from outside into the film store and the worklist: durable, and one entry however it came.

The network, the upload page and DICOMweb all receive through here.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from cxr_app.errors import FilmError, FilmLostError
from cxr_app.film_store import FilmStore, read_film
from cxr_app.imaging.film_identity import (
    FilmIdentity,
    film_identity,
    read_header,
    same_picture,
)
from cxr_app.patient_identity import name_different_patients
from cxr_app.worklist import Instance, NewInstance, Others, Worklist

OTHER_PIXELS = (
    "Another film in the list has the same SOP Instance UID and other pixels: one of them was "
    "numbered wrongly. Both are kept."
)
OTHER_PATIENT = (
    "The same picture was received for another patient under the same SOP Instance UID. Check "
    "whose film it is. Both are kept."
)
UNCOMPARED = (
    "A film with the same SOP Instance UID was received before and is no longer there to be "
    "compared with. Both are kept."
)


class Arrived(Enum):
    """What a file turned out to be."""

    NEW = "new"
    """A film that the worklist did not have, or whose file had been deleted."""
    KNOWN = "known"
    """A film that the worklist has."""
    OWN_RESULT = "own result"
    """A result of this program, which is kept nowhere."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a file.

    Parameters
    ----------
    entry_id
        Empty for a result of this program.
    """

    arrived: Arrived
    entry_id: str = ""


class Reception:
    """Receives films. Safe for many threads and processes.

    Parameters
    ----------
    films, worklist
        Where films are kept and entered.
    """

    def __init__(self, films: FilmStore, worklist: Worklist) -> None:
        self._films = films
        self._worklist = worklist

    def receive(
        self,
        data: bytes,
        source: str,
        identity: FilmIdentity | None = None,
        kept_at: Path | None = None,
    ) -> Receipt:
        """Keep a film and enter it; once this returns, both survive a power cut.

        Parameters
        ----------
        data
            The file.
        source
            As in `Entry`.
        identity
            Of the file, if it is known already.
        kept_at
            Where the file is and stays; without it, the film store keeps the file.

        Raises
        ------
        WorklistError
            If the film could not be kept or entered.
        ShortageError
            If this computer is short of memory or other resources.
        """
        identity = identity or _identity(data)
        if identity is None:
            return self._receive_file(data, source, kept_at)
        if identity.is_own_result:
            return Receipt(Arrived.OWN_RESULT)
        return self._receive_instance(data, source, identity, kept_at)

    def _receive_file(self, data: bytes, source: str, kept_at: Path | None) -> Receipt:
        """Receive a file that is no readable DICOM; its SHA-256 identifies it."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = kept_at or self._films.path(sha256)
        self._keep(data, sha256, path)
        entry_id, is_new = self._worklist.receive(sha256, source, path)
        if is_new:
            self._keep_again(data, sha256, path)
        return Receipt(Arrived.NEW if is_new else Arrived.KNOWN, entry_id)

    def _keep(self, data: bytes, sha256: str, path: Path) -> None:
        """Keep a file, unless it is elsewhere and stays there."""
        if self._films.is_place_of(path, sha256):
            self._films.keep(data, sha256)

    def _keep_again(self, data: bytes, sha256: str, path: Path) -> None:
        """Keep a file that retention may have deleted since it was kept."""
        if not self._films.has(sha256):
            self._keep(data, sha256, path)

    def _receive_instance(
        self, data: bytes, source: str, identity: FilmIdentity, kept_at: Path | None
    ) -> Receipt:
        """Receive a DICOM film; kept before it is entered, so that every entry has a film."""
        sha256 = hashlib.sha256(data).hexdigest()
        new = NewInstance(
            sha256=sha256,
            dataset_sha256=identity.dataset_sha256,
            sop_instance_uid=identity.sop_instance_uid,
            source=source,
            path=kept_at or self._films.path(sha256),
        )
        while True:
            key = (sha256, identity.dataset_sha256, identity.sop_instance_uid)
            alike = [_completed(each) for each in self._worklist.instances.alike(*key)]
            if (same := _equal(alike, new)) is not None:
                return self._receive_again(same, new, data)
            self._keep(data, sha256, new.path)
            receipt = self._enter(new, data, alike)
            if receipt is not None:
                return receipt

    def _receive_again(self, same: Instance, new: NewInstance, data: bytes) -> Receipt:
        """Receive a film that has an entry; keep it only if its file is gone, or not ours."""
        is_elsewhere = self._is_ours(new) and not self._is_ours(same)
        if same.is_deleted or is_elsewhere or _content(same) is None:
            self._keep(data, new.sha256, new.path)
            was_deleted = self._worklist.instances.restore(same, new)
            return Receipt(Arrived.NEW if was_deleted else Arrived.KNOWN, same.entry_id)
        if new.sha256 != same.sha256:
            self._films.delete(new.sha256)  # kept a moment ago, while another sender was faster
        return Receipt(Arrived.KNOWN, same.entry_id)

    def _enter(self, new: NewInstance, data: bytes, alike: list[Instance]) -> Receipt | None:
        """Enter a film beside those with its UID, or as a further file of one of them.

        Returns
        -------
        Receipt or None
            None if the worklist has changed meanwhile.
        """
        remarks: dict[str, str] = {}
        for entry_id, files in _by_entry(alike).items():
            remark = _difference(data, files)
            if not remark:
                is_shown = self._is_ours(new) and not any(map(self._is_ours, files))
                is_there = self._worklist.instances.add_file(entry_id, new, is_shown=is_shown)
                return Receipt(Arrived.KNOWN, entry_id) if is_there else None
            remarks[entry_id] = remark
        new = replace(new, remarks=tuple(dict.fromkeys(remarks.values())))
        added = self._worklist.instances.add(new, Others(frozenset(remarks), remarks))
        if added is None:
            return None
        entry_id, is_new = added
        self._keep_again(data, new.sha256, new.path)
        return Receipt(Arrived.NEW if is_new else Arrived.KNOWN, entry_id)

    def _is_ours(self, file: Instance | NewInstance) -> bool:
        return self._films.is_place_of(file.path, file.sha256)


def _identity(data: bytes) -> FilmIdentity | None:
    """Return what identifies a DICOM film; None for other files, and damaged ones."""
    try:
        return film_identity(data)
    except FilmError:
        return None


def _equal(alike: Iterable[Instance], new: NewInstance) -> Instance | None:
    """Return the very file, or one of equal content."""
    equal = [each for each in alike if each.dataset_sha256 == new.dataset_sha256]
    same = [each for each in alike if each.sha256 == new.sha256]
    return next(iter([*same, *equal]), None)


def _completed(instance: Instance) -> Instance:
    """Return a file of an entry of an older version with the hash of its content."""
    if instance.dataset_sha256 or instance.is_deleted:
        return instance
    content = _content(instance)
    identity = None if content is None else _identity(content)
    return replace(instance, dataset_sha256=identity.dataset_sha256) if identity else instance


def _content(instance: Instance) -> bytes | None:
    """Return the file as received; None if it is gone or damaged."""
    try:
        return read_film(instance.path, instance.sha256)
    except FilmLostError:
        return None


def _by_entry(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    found: dict[str, list[Instance]] = {}
    for each in instances:
        found.setdefault(each.entry_id, []).append(each)
    return found


def _difference(data: bytes, files: Iterable[Instance]) -> str:
    """Return the remark that tells a film from another with its UID; empty if it is the same."""
    other = next(filter(None, map(_content, files)), None)
    if other is None:
        return UNCOMPARED
    if not same_picture(data, other):
        return OTHER_PIXELS
    headers = read_header(data), read_header(other)
    if headers[0] and headers[1] and name_different_patients(headers[0], headers[1]):
        return OTHER_PATIENT
    return ""
