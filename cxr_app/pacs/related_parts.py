"""The parts of a multipart/related body, as its chunks arrive.

References
----------
RFC 2046 5.1.1 (multipart), RFC 2387 (multipart/related).
"""

import re

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from cxr_app.imaging.limits import MAX_FILE_BYTES

LONGEST_PADDING = 1000
"""White space behind the first boundary."""


class MalformedBodyError(Exception):
    """The body is not what its header says."""


class RelatedParts:
    """Splits a body into its parts; only the one that is arriving is in memory.

    Parameters
    ----------
    boundary
        Of the Content-Type header.
    """

    def __init__(self, boundary: bytes) -> None:
        self._part = bytearray()
        self._done: list[bytes] = []
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

    def take(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; return the parts that it completes.

        Raises
        ------
        MalformedBodyError
            If it is not multipart, or a part is larger than any film.
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
        self._part = bytearray()

    def _add(self, data: bytes, start: int, end: int) -> None:
        if len(self._part) + end - start > MAX_FILE_BYTES:
            raise MalformedBodyError
        self._part += memoryview(data)[start:end]

    def _end(self) -> None:
        self._done.append(bytes(self._part))
        self._part = bytearray()

    def _end_all(self) -> None:
        self._is_ended = True


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary of a multipart/related body of DICOM files; None for other bodies."""
    kind, options = parse_options_header(content_type)
    if kind.lower() != b"multipart/related" or not options.get(b"boundary"):
        return None
    is_dicom = options.get(b"type", b"").strip(b'"').lower() == b"application/dicom"
    return options[b"boundary"] if is_dicom else None
