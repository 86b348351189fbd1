"""The parts of a multipart/related body, as its chunks arrive."""

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from cxr_app.imaging.limits import MAX_FILE_BYTES


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
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise MalformedBodyError from error
        done, self._done = self._done, []
        return done

    @property
    def is_ended(self) -> bool:
        """Whether the closing boundary has arrived."""
        return self._is_ended

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
