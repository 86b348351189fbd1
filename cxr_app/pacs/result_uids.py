"""UIDs of results: the same result has the same UIDs, whoever makes it and however often.

A result that was stored just before a crash is sent again afterwards, and the archive recognises
it.
"""

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f3a9a0e-6d53-4b0a-9c5e-2f5d1a7f4c11")


def derived_uid(*parts: str) -> str:
    """Return the UID that belongs to these words, at most 44 characters.

    References
    ----------
    DICOM PS3.5 B.2; RFC 9562, 5.5.
    """
    # Each part with its length, so that no two lists of parts have the same text.
    name = "".join(f"{len(part)}:{part}" for part in parts)
    return f"2.25.{uuid5(_NAMESPACE, name).int}"
