"""Each result that leaves for an archive is in the audit, with its patient and its outcome."""

from pathlib import Path

import pytest

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.destination import ResultKind
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.archives import Peer, listening
from tests.support.audited import events
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.scored_films import score_film

PATIENT = "QX-18151210"


@pytest.mark.parametrize(
    ("status", "outcome"), [(0x0000, AuditOutcome.DONE), (0xA700, AuditOutcome.REFUSED)]
)
def test_an_object_is_noted_with_what_the_archive_answered(
    tmp_path: Path, status: int, outcome: AuditOutcome
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    worklist, audit = Worklist.open(settings.worklist_url), AuditLog.of(settings)
    with listening(Peer(status=[status] * 2)) as peer:
        destination = peer.destination(ResultKind.REPORT, ResultKind.PICTURE)
        sender = Sender(settings, worklist, destination, audit)
        ds = radiograph_dataset(film_pixels(64, 56), PatientID=PATIENT)
        film = score_film(settings, worklist, dicom_bytes(ds))
        sender.send_once()
    found: list[AuditEvent] = events(settings.audit_folder, AuditKind.SENT)
    assert [each.detail for each in found] == [
        f"{kind.value} to {destination.name}" for kind in (ResultKind.REPORT, ResultKind.PICTURE)
    ]
    for each in found:
        assert (each.film, each.outcome) == (film, outcome)
        assert each.patient == audit.mark(PATIENT)
    audit.close()
    worklist.close()
