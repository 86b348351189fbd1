"""Our own words in a result: ASCII, since a result has the film's character set, or none."""

import unicodedata


def plain(words: str) -> str:
    """Return words without accents; what has no letter in ASCII becomes a question mark."""
    parts = unicodedata.normalize("NFKD", words)
    letters = "".join(part for part in parts if not unicodedata.combining(part))
    return letters.encode("ascii", "replace").decode("ascii")
