"""Application entity titles, by which programs on a DICOM network call each other."""

import re

_AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")

AE_TITLE_RULE = (
    "an AE title has at least one and at most 16 characters, all of them ASCII, no backslash, "
    "no control character, and no space at either end"
)
"""What a title must be, for messages."""


def is_ae_title(written: str) -> bool:
    """Check whether a text is a title as programs send and compare it.

    References
    ----------
    DICOM PS3.5 6.2 (VR AE); PS3.8 9.3.2 (spaces at the ends do not count).
    """
    return _AE_TITLE.fullmatch(written) is not None
