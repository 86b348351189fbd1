"""Whether two films are of the same patient, by what their headers say.

A Patient ID is one within its issuer only. A wrong answer shows a reader another patient's film,
so any doubt means no.
"""

import re
import unicodedata

from cxr_app.radiograph import Header

_NO_IDS = re.compile(
    r"(?:X|UN|DE)?(?:ANON(?:Y(?:M(?:E|OUS|IZED|ISED|IZE|ISE|US|ISIERT|O)?)?)?|PSEUDONYM\w*|UNKNOWN|"
    r"UNK|UNBEKANNT|INCONNU|DESCONOCIDO|NONE|NULL|NIL|NA|NAN|NOID|NOPATIENTID|NOTAVAILABLE|"
    r"NOTAPPLICABLE|NOTKNOWN|NOTSET|UNDEFINED|UNASSIGNED|MISSING|EMPTY|BLANK|DEFAULT|"
    r"TEST(?:PATIENT|ID)?|DUMMY|SAMPLE|EXAMPLE|DEMO|PHANTOM|QA|QC|TEMP|TMP|"
    r"PATIENT(?:ID)?|PAT|PID|ID|MRN|IDENTIFIED|IDENTIFIEE?|REMOVED|REDACTED|DELETED|HIDDEN|"
    r"CONFIDENTIAL|PRIVATE|MASKED|EMERGENCY|TRAUMA|NOTFALL|JOHNDOE|JANEDOE|DOE|NOBODY|NEW)0*"
)
"""Placeholders, without spaces and punctuation."""
_COUNTED = "01234567890123456789"


def is_patient_id(patient_id: str) -> bool:
    """Check whether a Patient ID can distinguish patients: no placeholder, no default."""
    letters = re.sub(r"[\W_]", "", patient_id).upper()
    if len(set(letters)) < 2 and len(letters) != 1:
        return False  # empty, or one character again and again
    if letters in ("0", "X", "N", "U"):
        return False
    is_default = len(letters) > 2 and (letters in _COUNTED or letters in _COUNTED[::-1])
    return not is_default and _NO_IDS.fullmatch(letters) is None


def same_patient(one: Header, other: Header) -> bool:
    """Check whether two headers name the same patient.

    They have the same Patient ID and the same issuer, and contradict each other in no name, sex or
    birth date. If only one of them has an issuer, name or birth date must agree.

    References
    ----------
    DICOM PS3.3 C.2.2 and C.7.1.1.
    """
    if one.patient_id != other.patient_id or not is_patient_id(one.patient_id):
        return False
    issuers = {_folded(each.issuer_of_patient_id) for each in (one, other)}
    if len(issuers - {""}) > 1:
        return False
    agreements = (
        _agree(one.patient_birth_date, other.patient_birth_date),
        _agree(one.patient_sex, other.patient_sex),
        _names_agree(one.patient_name, other.patient_name),
    )
    if False in agreements:
        return False
    birth, _, name = agreements
    return len(issuers) == 1 or bool(birth or name)


def name_different_patients(one: Header, other: Header) -> bool:
    """Check whether two headers contradict each other in id, name, sex or birth date."""
    return False in (
        _agree(one.patient_id, other.patient_id),
        _agree(one.patient_birth_date, other.patient_birth_date),
        _agree(one.patient_sex, other.patient_sex),
        _names_agree(one.patient_name, other.patient_name),
    )


def _agree(one: str, other: str) -> bool | None:
    """Compare two values; None if one is missing."""
    return one == other if one and other else None


def _names_agree(one: str, other: str) -> bool | None:
    """Compare names; None if one is missing, a placeholder, or written in another script only.

    Case, accents, punctuation and titles do not matter. A name may have further parts, or an
    initial in place of a part.
    """
    firsts, seconds = _groups(one), _groups(other)
    if any(_fits(parts, others) for parts in firsts.values() for others in seconds.values()):
        return True
    return False if firsts.keys() & seconds.keys() else None


def _groups(name: str) -> dict[int, list[str]]:
    """Return the parts of each component group (PS3.5 6.2.1) that says anything."""
    found = {place: _parts(group) for place, group in enumerate(name.split("="))}
    return {
        place: parts
        for place, parts in found.items()
        if parts and _NO_IDS.fullmatch("".join(parts).upper()) is None
    }


def _fits(parts: list[str], others: list[str]) -> bool:
    fewer, more = sorted((parts, others), key=len)
    return all(_has(more, part) for part in fewer)


def _parts(group: str) -> list[str]:
    """Return the parts of a component group, family name first, without prefix and suffix."""
    names = " ".join(group.split("^")[:3])
    return [part for part in re.split(r"[\W_]+", _folded(names)) if part]


def _has(parts: list[str], part: str) -> bool:
    return any(
        part == each or (1 in (len(part), len(each)) and part[0] == each[0]) for each in parts
    )


def _folded(words: str) -> str:
    """Return words without case and accents; umlauts may be written in two letters."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    for two, letter in (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ø", "o"), ("æ", "a"), ("ß", "ss")):
        plain = plain.replace(two, letter)
    return plain.strip()
