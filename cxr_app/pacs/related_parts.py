"""The parts of a multipart/related body, as its chunks arrive.

References
----------
RFC 2046 5.1.1 (multipart), RFC 2387 (multipart/related).
"""

import re
from dataclasses import dataclass

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.imaging.stated_identity import STATED_BYTES

LONGEST_PADDING = 1000
"""White space behind the first boundary."""


class MalformedBodyError(Exception):
    """The body is not what its header says."""


@dataclass(frozen=True, slots=True)
class RelatedPart:
    """A part of a body.

    Parameters
    ----------
    data
        The whole; of one that is too large, its beginning.
    is_too_large
        Whether it is larger than any film.
    """

    data: bytes
    is_too_large: bool = False


class RelatedParts:
    """Splits a body into its parts; only the one that is arriving is in memory.

    Parameters
    ----------
    boundary
        Of the Content-Type header.
    limit
        Bytes of the largest part that is kept.
    """

    def __init__(self, boundary: bytes, limit: int = MAX_FILE_BYTES) -> None:
        self._limit = limit
        self._part = bytearray()
        self._is_too_large = False
        self._done: list[RelatedPart] = []
        self._is_ended = False
        self._boundary = boundary
        self._first = re.compile(rb"\n--" + re.escape(boundary) + rb"(--|[ \t]*\r\n)")
        self._head = bytearray(b"\n")  # the first boundary may be the first line
        self._is_begun = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._add,
                "on_part_end": self._end,
                "on_end": self._end_all,
            },
        )

    def take(self, chunk: bytes) -> list[RelatedPart]:
        """Take a chunk; return the parts that it completes.

        Raises
        ------
        MalformedBodyError
            If it is not multipart.
        """
        try:
            self._parser.write(chunk if self._is_begun else self._without_preamble(chunk))
        except MultipartParseError as error:
            raise MalformedBodyError from error
        done, self._done = self._done, []
        return done

    @property
    def is_ended(self) -> bool:
        """Whether the closing boundary has arrived."""
        return self._is_ended

    @property
    def is_too_large(self) -> bool:
        """Whether the part that is arriving is larger than any film."""
        return self._is_too_large

    def _without_preamble(self, chunk: bytes) -> bytes:
        """Return what has come from the first boundary on, which the parser wants unpadded."""
        self._head += chunk
        found = self._first.search(self._head)
        if found is None:
            del self._head[: -len(self._boundary) - LONGEST_PADDING]  # one may be arriving
            return b""
        self._is_begun = True
        end = found[1].strip(b" \t")
        rest = b"".join((b"--", self._boundary, end, self._head[found.end() :]))
        self._head.clear()
        return rest

    def _begin(self) -> None:
        self._part, self._is_too_large = bytearray(), False

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._is_too_large:
            return
        self._part += memoryview(data)[start:end]
        if len(self._part) > self._limit:
            self._is_too_large = True
            del self._part[STATED_BYTES:]

    def _end(self) -> None:
        self._done.append(RelatedPart(bytes(self._part), self._is_too_large))
        self._begin()

    def _end_all(self) -> None:
        self._is_ended = True


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a multipart/related body of DICOM files; None for other bodies."""
    kind, options = parse_options_header(content_type)
    if kind.lower() != b"multipart/related" or not options.get(b"boundary"):
        return None
    is_dicom = options.get(b"type", b"").strip(b'"').lower() == b"application/dicom"
    return options[b"boundary"] if is_dicom else None
