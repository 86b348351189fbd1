"""What can go wrong, as types a person can act on.

* CxrError                        something the user can act on
  x FilmError                     this file cannot be shown or scored
    + NotAFilmError               not a format that the program reads, or empty
    + UnsupportedImageError       sound, but of a kind that the program cannot show
    + PixelDataError              missing, truncated or not decodable pixel data
    + FilmTooLargeError           beyond the limits of `imaging.limits`
    + FilmLostError               the kept film is gone or no longer what was received
  x ShortageError                 this computer is short of memory or other resources
  x CheckpointError               these weights cannot be used
    + CheckpointNotFoundError
    + CheckpointMismatchError     wrong format, classes, architecture or SHA-256
  x PromotionError                this model cannot be put to use
  x ScoresError                   the scored films beside a checkpoint cannot be used
  x WorklistError                 the list of films cannot be read or changed
    + EntryNotFoundError
  x ArchiveError                  an archive cannot be reached, or refuses
    + FilmNotSentError            this film was not sent; others may be
  x PacsError                     the DICOM network, or a peer on it, cannot be used
  x JobError                      long work that cannot be begun
    + FolderNotAllowedError       no folder, or none that the settings allow
    + JobNotFoundError
  x TrainingDataError             films or labels that must not be trained or measured on
  x SettingsError                 a setting has an impossible value
  x AuditError                    the audit cannot be read or written
  x NotPermittedError             a person without the role that is needed

A message says what was found, what is allowed and what to do. It holds no patient data,
because it reaches logs. Wrong arguments from our own code stay `ValueError` and `TypeError`.
"""

import errno
import re
import struct
import zlib
from typing import Self

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What third-party parsers raise on damaged content.

Caught around a call into such a parser and nowhere else, and translated into a `FilmError` there,
after `raise_shortage`. A `MemoryError` is not among them: it means that this computer is in
trouble, because `imaging.limits` bounds the memory that a film can need.
"""

_SHORTAGE_NUMBERS = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}


def raise_shortage(error: BaseException) -> None:
    """Raise `ShortageError` if this computer caused an error, and not the content being read.

    Call it wherever `DAMAGE` is caught, because an `OSError` may mean either.
    """
    is_shortage = isinstance(error, MemoryError)
    if isinstance(error, OSError):
        # Pillow reports a failed allocation by an error without number.
        is_shortage = error.errno in _SHORTAGE_NUMBERS or "out of memory" in str(error)
    if is_shortage:
        raise ShortageError(
            "The computer ran short of memory, processes, open files or disk space while reading "
            "the film. The film itself may be sound: free some of them, then try again."
        ) from error


class CxrError(Exception):
    """Something the user can act on; the root class that every entry point catches."""


class FilmError(CxrError):
    """This file cannot be shown or scored."""


class NotAFilmError(FilmError):
    """The content has none of the formats that the program reads."""


class UnsupportedImageError(FilmError):
    """The content is sound, but of a kind that the program cannot show."""


class PixelDataError(FilmError):
    """The pixel data is missing, truncated, or has no decoder here."""


class FilmTooLargeError(FilmError):
    """The file or its pixels are beyond the limits of `imaging.limits`."""


class FilmLostError(FilmError):
    """The kept film is gone, or no longer what was received."""


class ShortageError(CxrError):
    """This computer is short of memory, processes, open files or disk space."""


class CheckpointError(CxrError):
    """These weights cannot be used."""


class CheckpointNotFoundError(CheckpointError):
    """The settings name a checkpoint that does not exist."""


class CheckpointMismatchError(CheckpointError):
    """The checkpoint is of another format, architecture or content than expected."""


class PromotionError(CxrError):
    """This model cannot be put to use, or not any more."""


class ScoresError(CxrError):
    """The scores beside a checkpoint are missing, invalid, or of another version."""


class WorklistError(CxrError):
    """The list of films cannot be read or changed."""


class WorklistAwayError(WorklistError):
    """The database does not answer, or not now; the same call may succeed in a moment."""


class EntryNotFoundError(WorklistError):
    """No entry has this id."""

    @classmethod
    def of(cls, entry_id: str) -> Self:
        """Name the entry by its short id, where what was asked for is an id at all."""
        name = entry_id[:8] if re.fullmatch("[0-9a-f]{8,32}", entry_id) else "of this name"
        return cls(f"The worklist has no entry {name}. Choose one from the list.")


class ReviewError(CxrError):
    """This verdict cannot be given or taken back now."""


class ReportError(CxrError):
    """A template cannot be used, or a report cannot be written in this form."""


class AttestationError(CxrError):
    """This film cannot be scored on a person's word, or no word can be taken back."""


class HandoverError(CxrError):
    """This cannot be handed to another reader: something that is needed was not said."""


class ReaderUnknownError(CxrError):
    """The reader's name is not known yet, so nothing can be recorded."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing was recorded: your browser has not sent your name yet. "
            "Try again in a moment, when it appears in the sidebar."
        )


class ArchiveError(CxrError):
    """An archive cannot be reached, or does not accept what it is sent."""


class FilmNotSentError(ArchiveError):
    """The archive answers, and does not send this film."""


class PacsError(CxrError):
    """The DICOM network, or a peer on it, cannot be used."""


class JobError(CxrError):
    """This long work cannot be begun."""


class FolderNotAllowedError(JobError):
    """There is no such folder, or it is not below one that the settings allow."""


class JobNotFoundError(JobError):
    """No job has this id."""


class TrainingDataError(CxrError):
    """These films or labels must not be trained or measured on."""


class AuditError(CxrError):
    """The audit cannot be read or written."""


class NotPermittedError(CxrError):
    """A person may not do what was asked for; the message says who can change that."""


class SettingsError(CxrError):
    """A setting has an impossible value."""
