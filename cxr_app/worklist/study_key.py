"""What films of one study have in common, and no other film has."""

import hashlib

from cxr_app.radiograph import Header
from cxr_app.worklist.column_types import writable

DIGEST_BYTES = 16


def study_key(header: Header | None) -> str | None:
    """Return what identifies a film's study; None if its header names none.

    Two patients may have one Study Instance UID by mistake: films whose headers name the patient
    differently are never one study.

    References
    ----------
    DICOM PS3.3 C.7.2.1 (General Study) and C.7.1.1 (Patient).
    """
    if header is None or not header.study_instance_uid:
        return None
    facts = (
        *(header.study_instance_uid, header.patient_id, header.issuer_of_patient_id),
        *(header.patient_name, header.patient_birth_date, header.patient_sex),
    )
    # Each with its length, so that no two lists of facts have the same text.
    words = "".join(f"{len(fact)}:{fact}" for fact in map(writable, facts))
    return hashlib.blake2b(words.encode(), digest_size=DIGEST_BYTES).hexdigest()
