"""A report as a FHIR R4 resource.

References
----------
HL7 FHIR R4, DiagnosticReport; LOINC 30745-4; SNOMED CT for the conclusion.
"""

import base64
import json
from datetime import datetime
from typing import Any

from cxr_app.reports.facts import ReportFacts, cause_of
from cxr_app.worklist import Cause

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
CONCLUSIONS = {
    None: ("233604007", "Pneumonia"),
    Cause.BACTERIAL: ("53084003", "Bacterial pneumonia"),
    Cause.VIRAL: ("75570004", "Viral pneumonia"),
    Cause.UNCLEAR: ("233604007", "Pneumonia"),
}


def diagnostic_report(facts: ReportFacts, text: str) -> str:
    """Return the resource as JSON.

    A value that is unknown is left out, never filled in. The status is ``preliminary``: this
    program signs nothing.

    Parameters
    ----------
    text
        The report by the site's template; it is the conclusion, and a plain text beside it.
    """
    resource: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "identifier": _identifiers(facts),
        "status": "preliminary" if facts.read_at else "registered",
        "category": [_concept("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD", "Radiology")],
        "code": _concept(LOINC, "30745-4", "XR Chest Views"),
        "subject": _subject(facts),
        "effectiveDateTime": _instant(facts.taken_at),
        "issued": _instant(facts.read_at),
        "resultsInterpreter": [{"display": facts.reader}] if facts.reader else None,
        "imagingStudy": _study(facts),
        "media": _media(facts),
        "conclusion": text,
        "conclusionCode": _conclusion(facts),
        "presentedForm": [
            {
                "contentType": "text/plain; charset=utf-8",
                "data": base64.b64encode(text.encode("utf-8")).decode("ascii"),
            }
        ],
    }
    known = {name: value for name, value in resource.items() if value}
    return json.dumps(known, indent=1, ensure_ascii=False)


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _identifiers(facts: ReportFacts) -> list[dict[str, Any]]:
    if not facts.header.accession_number:
        return []
    kind = _concept("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", "Accession ID")
    return [{"type": kind, "value": facts.header.accession_number}]


def _subject(facts: ReportFacts) -> dict[str, Any] | None:
    header = facts.header
    if not header.patient_id:
        return None
    identifier: dict[str, Any] = {"value": header.patient_id}
    if header.issuer_of_patient_id:
        identifier["assigner"] = {"display": header.issuer_of_patient_id}
    return {"type": "Patient", "identifier": identifier}


def _study(facts: ReportFacts) -> list[dict[str, Any]]:
    uid = facts.header.study_instance_uid
    if not uid:
        return []
    return [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}}]


def _media(facts: ReportFacts) -> list[dict[str, Any]]:
    """Return the film as a key image, if a reader marked it as one and it has a UID."""
    uid = facts.header.sop_instance_uid
    if not (facts.key_image and uid):
        return []
    link = {
        "type": "Media",
        "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"},
    }
    return [{"comment": "Key image", "link": link}]


def _conclusion(facts: ReportFacts) -> list[dict[str, Any]]:
    """Return the code of what the reader saw; nothing where no pneumonia was seen."""
    if facts.verdict != "pneumonia":
        return []
    return [_concept(SNOMED, *CONCLUSIONS[cause_of(facts)])]


def _instant(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
