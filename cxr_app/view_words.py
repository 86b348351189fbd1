"""What words say of a film's view: View Position, View Code Sequence, device descriptions."""

import re

LATERAL = "LATERAL"
OBLIQUE = "OBLIQUE"

REASONS = {
    LATERAL: "it is a lateral view, and only frontal views are scored.",
    OBLIQUE: "it is an oblique view, and only frontal views are scored.",
}
"""Why a film of a view is not scored, the end of a sentence."""

_LATERAL_CODES = {"LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "ML", "LM"}
_OBLIQUE_CODES = {"RLO", "LLO", "RAO", "LAO", "RPO", "LPO", "OBLIQUE", "OBL"}
_FRONTAL = re.compile(
    r"\b(?:AP|PA|FRN|FRONT(?:AL)?|ANTERO ?POSTERIOR|POSTERO ?ANTERIOR|DECUB\w*|LLD|RLD)\b"
)
"""Of a patient who lies on a side (decubitus), the film is frontal."""
_SIDE = re.compile(r"\b(?:LATERAL\w*|LAT|LLAT|RLAT|SEITLICH|PROFIL\w*|SAGITTAL)\b")
_SLANTED = re.compile(r"\b(?:\w*OBLIQUE|OBL|SCHR[AÄ]G|RAO|LAO|RPO|LPO)\b")


def is_other_view(reason: str) -> bool:
    """Check whether a film was not scored because it is a lateral view, which needs no score."""
    return REASONS[LATERAL] in reason


def stated_view(words: str) -> str:
    """Return LATERAL or OBLIQUE if that is what words say; empty if they say anything else.

    Words that name a frontal view, too, say nothing of a single film.
    """
    spaced = " ".join(re.split(r"[^A-ZÄÖÜ]+", words.upper())).strip()
    if spaced in _LATERAL_CODES:
        return LATERAL
    if spaced in _OBLIQUE_CODES:
        return OBLIQUE
    if _SLANTED.search(spaced):
        return OBLIQUE
    if _SIDE.search(spaced) and not _FRONTAL.search(spaced):
        return LATERAL
    return ""
