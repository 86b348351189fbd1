"""Which films a site has read by a second reader."""

import hashlib
import hmac
from dataclasses import dataclass

ALLOWED = "`flagged`, `share=` with a number between 0 and 1, or `asked`"
_WHOLE = 1 << 256


@dataclass(frozen=True, slots=True)
class SecondReadingRule:
    """Which films are read by a second reader; none, unless the site says so.

    Parameters
    ----------
    asked
        Films for which a reader asks; whenever anything else is chosen, too.
    flagged
        All films that the model flags.
    share
        Share of all films, in [0, 1], drawn by a keyed hash of the film.
    """

    asked: bool = False
    flagged: bool = False
    share: float = 0.0

    def wants(self, sha256: str, *, flagged: bool | None, key: bytes) -> bool:
        """Check whether a film is to be read twice without being asked for.

        Parameters
        ----------
        sha256
            Of the film, in hexadecimal digits.
        key
            Secret of the worklist, so that nobody can tell beforehand which films are drawn.
        """
        if self.flagged and flagged:
            return True
        drawn = hmac.new(key, sha256.encode(), hashlib.sha256).digest()
        return int.from_bytes(drawn) < self.share * _WHOLE


def parse_second_reading(written: str) -> SecondReadingRule:
    """Read a rule such as ``flagged, share=0.05``; empty for no second readings.

    Raises
    ------
    ValueError
        If a word of it is not allowed; the message says what is.
    """
    words = [each.strip() for each in written.split(",") if each.strip()]
    shares = [each for each in words if each.partition("=")[0].strip() == "share"]
    unknown = [each for each in words if each not in ("asked", "flagged", *shares)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of the allowed words: {ALLOWED}")
    if len(shares) > 1:
        raise ValueError("share may be named once")
    return SecondReadingRule(bool(words), "flagged" in words, _share(shares[0]) if shares else 0.0)


def _share(word: str) -> float:
    number = word.partition("=")[2].strip()
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"the share is {number!r}; expected a number above 0, at most 1")
    return share
