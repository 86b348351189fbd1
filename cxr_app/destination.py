"""An archive's address, and which objects are sent there."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Self

from cxr_app.ae_title import AE_TITLE_RULE, is_ae_title

_WRITTEN = re.compile(
    r"(?P<title>[^@=,]*)@(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})"
    r"(?:=(?P<kinds>[a-z]+(?:\+[a-z]+)*))?"
)
_WEB = re.compile(
    r"(?P<url>https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:/[A-Za-z0-9._~/-]*)?)(?:=(?P<kinds>[a-z]+(?:\+[a-z]+)*))?"
)
_HIGHEST_PORT = 65_535
_LONGEST_URL = 250


class ResultKind(Enum):
    """One of the objects that a result is sent as; its value is the word in the setting."""

    REPORT = "sr"
    """Comprehensive 3D SR: the probability and the flag, for machines."""
    PICTURE = "sc"
    """Secondary Capture: the film with its heatmap and the result in words, for people."""
    OUTLINE = "pr"
    """Grayscale Softcopy Presentation State: the heatmap's outline on the film itself."""
    HEATMAP = "pm"
    """Parametric Map: the evidence as numbers."""
    READING = "reading"
    """Comprehensive 3D SR: what readers said of the flag, with their comments."""


DEFAULT_KINDS = (ResultKind.REPORT, ResultKind.PICTURE)


@dataclass(frozen=True, slots=True)
class Destination:
    """A DICOM node, or a DICOMweb server, that results are sent to or that films come from.

    Parameters
    ----------
    ae_title
        The title that it answers to, at most 16 characters.
    host
        Its name or address; an IPv6 address without brackets.
    kinds
        What it gets.
    url
        Address of a DICOMweb server, to which ``/studies`` is appended; it has no title, host and
        port. Empty for a DICOM node.
    """

    ae_title: str
    host: str
    port: int
    kinds: tuple[ResultKind, ...] = DEFAULT_KINDS
    url: str = ""

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read ``TITLE@HOST:PORT`` or ``https://...``, with ``=sr+sc`` behind it for other objects.

        Raises
        ------
        ValueError
            If it is written otherwise; the message says how to write it.
        """
        if "://" in written:
            return cls._parse_web(written.strip())
        found = _WRITTEN.fullmatch(written.strip())
        if found is None or not 0 < int(found["port"]) <= _HIGHEST_PORT:
            raise ValueError(
                f"{written.strip()!r} is no address of an archive; "
                "expected TITLE@HOST:PORT, for example ORTHANC@archive:4242"
            )
        kinds = _kinds(found["kinds"])
        title = found["title"].strip()
        if not is_ae_title(title):
            raise ValueError(f"{written.strip()!r} names no AE title; {AE_TITLE_RULE}")
        return cls(title, found["host"].strip("[]"), int(found["port"]), kinds)

    @classmethod
    def _parse_web(cls, written: str) -> Self:
        found = _WEB.fullmatch(written)
        if found is None or int(found["port"] or 1) > _HIGHEST_PORT or len(written) > _LONGEST_URL:
            raise ValueError(
                "expected a DICOMweb address without user, query or fragment, for example "
                "https://archive/dicom-web"
            )
        return cls("", "", 0, _kinds(found["kinds"]), found["url"].rstrip("/"))

    @property
    def name(self) -> str:
        """Its address, as the outbox and the pages name it."""
        if self.url:
            return self.url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"


def parse_destinations(written: str) -> tuple[Destination, ...]:
    """Read addresses separated by commas.

    Raises
    ------
    ValueError
        If one is written otherwise, or named twice.
    """
    found = tuple(Destination.parse(each) for each in written.split(",") if each.strip())
    if len({each.name for each in found}) < len(found):
        raise ValueError("every archive may be named once")
    return found


def _kinds(written: str | None) -> tuple[ResultKind, ...]:
    """Read the kinds of results, in their order."""
    words = (written or "+".join(kind.value for kind in DEFAULT_KINDS)).split("+")
    known = [kind.value for kind in ResultKind]
    if unknown := [word for word in words if word not in known]:
        raise ValueError(f"{unknown[0]!r} is no kind of result; allowed are {', '.join(known)}")
    return tuple(kind for kind in ResultKind if kind.value in words)
