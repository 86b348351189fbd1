"""The answer to a STOW-RS request: what became of each object, as DICOM JSON."""

import json
from collections.abc import Sequence

from pydicom import Dataset

from cxr_app.pacs import store_answers
from cxr_app.pacs.storing import Stored


def stow_answer(stored: Sequence[Stored]) -> tuple[int, str]:
    """Return the HTTP status and the body.

    The status is 200 if all are stored, 202 if some are, 503 if none is for want of room, else 409.

    References
    ----------
    DICOM PS3.18 10.5.3 (Store Transaction) and table I.2-1.
    """
    ds = Dataset()
    ds.ReferencedSOPSequence = [_item(each) for each in stored if each.answer.is_success]
    ds.FailedSOPSequence = [_failed_item(each) for each in stored if not each.answer.is_success]
    for keyword in ("ReferencedSOPSequence", "FailedSOPSequence"):
        if not ds[keyword].value:
            delattr(ds, keyword)
    return _status(stored), json.dumps(ds.to_json_dict())


def _status(stored: Sequence[Stored]) -> int:
    successes = sum(each.answer.is_success for each in stored)
    if successes:
        return 200 if successes == len(stored) else 202
    return 503 if any(each.answer == store_answers.NO_ROOM for each in stored) else 409


def _item(stored: Stored) -> Dataset:
    """Name an object, as far as its header does."""
    item, identity = Dataset(), stored.identity
    if identity is not None and identity.sop_class_uid:
        item.ReferencedSOPClassUID = identity.sop_class_uid
    if identity is not None and identity.sop_instance_uid:
        item.ReferencedSOPInstanceUID = identity.sop_instance_uid
    return item


def _failed_item(stored: Stored) -> Dataset:
    item = _item(stored)
    item.FailureReason = stored.answer.status
    return item
