"""What can go wrong, as types a person can act on.

* CxrError                        something the user can act on
  x FilmError                     this file cannot be shown or scored
    + NotAFilmError               neither DICOM, JPEG nor PNG, or nothing at all
    + UnsupportedImageError       sound, but of a kind that this program does not show
    + PixelDataError              missing, truncated or not decodable pixel data
    + FilmTooLargeError           beyond the bounds that `intake` sets
    + FilmLostError               the kept film is gone or no longer what was received
  x CheckpointError               these weights cannot be used
    + CheckpointNotFoundError
    + CheckpointMismatchError     wrong format, classes, architecture or SHA-256
  x PromotionError                this model cannot be put to use
  x ScoresError                   the scored films beside a checkpoint cannot be used
  x WorklistError                 the list of films cannot be read or changed
    + EntryNotFoundError
  x JobError                      long work that cannot be begun
    + FolderNotAllowedError       no folder, or none that the settings allow
    + JobNotFoundError
  x TrainingDataError             films or labels that must not be trained or measured on
  x SettingsError                 a setting has an impossible value

A message says what was found, what is allowed and what to do. It holds no patient data,
because it reaches logs. Wrong arguments from our own code stay `ValueError` and `TypeError`.
"""

import re
import struct
import threading
import traceback
import warnings
import zlib
from typing import Self

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What foreign parsers were seen to raise on damaged content.

Caught around a call into such a parser and nowhere else, and translated into a `FilmError` there.
"""

_filters_lock = threading.Lock()


def silence_warnings(package: str) -> None:
    """Let a foreign parser warn of odd values to nobody, for some print the values.

    `warnings.catch_warnings` would put back, in one thread, what another needs; a filter that
    stays, and that touches the package's own modules only, is safe in all of them.
    """
    modules = re.compile(re.escape(f"{package}."))
    with _filters_lock:
        if ("ignore", None, Warning, modules, 0) not in warnings.filters:
            warnings.filterwarnings("ignore", module=modules.pattern)


def fault_trace(error: BaseException) -> str:
    """Say for a log where a fault happened, and of what type it is.

    Not in which words: those of a parser may repeat what a file says of its patient.
    """
    told = ""
    fault: BaseException | None = error
    while fault is not None:
        told += "".join(traceback.format_tb(fault.__traceback__)) + type(fault).__name__ + "\n"
        fault = fault.__cause__ or fault.__context__
    return told


class CxrError(Exception):
    """Something the user can act on; the root that every door catches."""


class FilmError(CxrError):
    """This file cannot be shown or scored."""


class NotAFilmError(FilmError):
    """The content is neither DICOM, JPEG nor PNG."""


class UnsupportedImageError(FilmError):
    """The content is sound, but of a kind that this program does not show."""


class PixelDataError(FilmError):
    """The pixel data is missing, truncated, or has no decoder here."""


class FilmTooLargeError(FilmError):
    """The file or its pixels are beyond the bounds that `intake` sets."""


class FilmLostError(FilmError):
    """The kept film is gone, or no longer what was received."""


class CheckpointError(CxrError):
    """These weights cannot be used."""


class CheckpointNotFoundError(CheckpointError):
    """There is no checkpoint where the settings say."""


class CheckpointMismatchError(CheckpointError):
    """The checkpoint is of another format, architecture or content than expected."""


class PromotionError(CxrError):
    """This model cannot be put to use, or not any more."""


class ScoresError(CxrError):
    """The scored films beside a checkpoint are not there, not whole or of another version."""


class WorklistError(CxrError):
    """The list of films cannot be read or changed."""


class EntryNotFoundError(WorklistError):
    """No entry has this id."""

    @classmethod
    def of(cls, entry_id: str) -> Self:
        """Name the entry by its short id, where what was asked for is an id at all."""
        name = entry_id[:8] if re.fullmatch("[0-9a-f]{8,32}", entry_id) else "of this name"
        return cls(f"The worklist has no entry {name}. Choose one from the list.")


class JobError(CxrError):
    """This long work cannot be begun."""


class FolderNotAllowedError(JobError):
    """There is no such folder, or it is not below one that the settings allow."""


class JobNotFoundError(JobError):
    """No job has this id."""


class TrainingDataError(CxrError):
    """These films or labels must not be trained or measured on."""


class SettingsError(CxrError):
    """A setting has an impossible value."""
