"""The text of an entry that a search covers."""

import unicodedata

MAX_SEARCH_LENGTH = 500
"""Length of a search text, in characters: an index of PostgreSQL holds no more."""
_SHORT_ID_LETTERS = {ord(digit): 0xE000 + int(digit, 16) for digit in "0123456789abcdef"}
SHORT_ID_LENGTH = 8
GRAM = 3
"""Letters of a trigram."""


def folded(text: str) -> str:
    """Return a text without differences of case and of the form of accents."""
    return unicodedata.normalize("NFKC", text).casefold()


def short_id(entry_id: str) -> str:
    """Return the short form of an id in letters of its own: a search for "12" must not find it."""
    return entry_id[:SHORT_ID_LENGTH].translate(_SHORT_ID_LETTERS)


def search_text(entry_id: str, source: str, *facts: str) -> str:
    """Join the texts that a search covers; a long source keeps its end, with the file's name."""
    known = "\n".join((short_id(entry_id), *map(folded, facts)))[:MAX_SEARCH_LENGTH]
    return f"{known}\n{folded(source)[-(MAX_SEARCH_LENGTH + 1 - len(known)) :]}"


def all_grams(words: str) -> list[str]:
    """Return the trigrams of a text of at least three letters, each once."""
    return list(dict.fromkeys(words[at : at + GRAM] for at in range(len(words) - GRAM + 1)))
