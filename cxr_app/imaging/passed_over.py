"""Files that come along with films and are none: passed over at every door, and counted."""

import re
from pathlib import PurePosixPath

from cxr_app.imaging.disc import is_directory
from cxr_app.imaging.formats import FILM_SUFFIXES, detect_format
from cxr_app.imaging.other_kinds import other_kind
from cxr_app.imaging.zip_archive import is_zip

SNIFFED_BYTES = 4096
"""How much of a file `is_passed_over` needs to see."""

_LISTED = (
    ".inf .ini .db .exe .dll .ocx .com .bat .cmd .msi .sh .app .jar .class .so .dylib .sys "
    ".cab .lnk .url .chm .hlp .htm .html .xhtml .css .js .xml .xsl .xslt .xsd .dtd .json "
    ".yaml .yml .log .cfg .conf .config .properties .ico .icns .cur .ttf .otf .woff .swf .rtf "
    ".doc .docx .xls .xlsx .ppt .pptx .odt .csv .tsv .md .pdf .ps .eps .svg .mp3 .wav .wma "
    ".avi .mpg .mpeg .mp4 .mov .wmv .py .pyc .java .c .h .cpp .manifest .md5 .sha1 .sha256 "
    ".sum .sqlite .sqlite3 .bak .tmp .part .crdownload .plist"
)
_SUFFIXES = frozenset(_LISTED.split())
"""Of programs, settings, documents and sounds, as discs and computers add them."""
_NAMES = re.compile(
    r"(?:READ.?ME|LICEN[CS]E|COPYING|COPYRIGHT|VERSION|CHANGELOG|MANIFEST|INDEX|AUTORUN|INSTALL|"
    r"CONTENTS?|HELP|INFO|VIEWER|DESKTOP)(?:[-_. ]?\w{0,12})?(?:\.TXT)?"
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Thumbs.db, old documents of Office


def is_passed_over(name: str, head: bytes) -> bool:
    """Check whether a file is no film of any kind: by its content, and else by its name.

    What is named like a film is none of these, for it may be a broken film; neither is a picture or
    an archive that the program cannot read, for it may hold one.

    Parameters
    ----------
    name
        Name of the file, perhaps with folders.
    head
        Its first `SNIFFED_BYTES` bytes.
    """
    if is_directory(head):
        return True
    path = PurePosixPath(name.replace("\\", "/"))
    if detect_format(head) is not None or path.suffix.lower() in FILM_SUFFIXES:
        return False
    kind = other_kind(head)
    return _is_known_name(path, head) if kind is None else not kind.may_hold_films


def _is_known_name(path: PurePosixPath, head: bytes) -> bool:
    """Check whether a file of unknown content, or a zip archive, is named like no film."""
    is_hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    has_suffix = path.suffix.lower() in _SUFFIXES  # documents and programs are zip archives, too
    if is_hidden or has_suffix or is_zip(head):
        return is_hidden or has_suffix
    return head.startswith(_OLE) or _NAMES.fullmatch(path.name.upper()) is not None
