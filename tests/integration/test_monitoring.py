"""Figures for Prometheus: true, and without a patient."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cxr_app.audit.log import AuditLog
from cxr_app.destination import Destination
from cxr_app.errors import WorklistError
from cxr_app.jobs.kinds import BACKLOG
from cxr_app.operations.monitoring import InstallationCollector, exposition
from cxr_app.outcome import ScoringState
from cxr_app.settings import Settings
from cxr_app.worklist import Verdict, Worklist
from tests.support.worklists import ReadyEngine, received, scored

PLANTED = "Quuxlove"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
UIDS = ("sop_class_uid", "sop_instance_uid", "series_instance_uid", "study_instance_uid")
Figures = dict[tuple[str, ...], float]


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[AuditLog]:
    log = AuditLog(tmp_path / "audit")
    yield log
    log.close()


def figures(worklist: Worklist, audit: AuditLog, folder: Path) -> tuple[str, Figures]:
    """Return the text, and each value by its name and its labels in the order of their names."""
    settings = Settings(data_dir=folder)
    collector = InstallationCollector(
        settings, worklist, ReadyEngine().status, (audit.store, lambda: 3)
    )
    text = exposition(collector).decode()
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return text, found


def test_the_figures_are_those_of_the_worklist_and_name_nobody(
    worklist: Worklist, audit: AuditLog, tmp_path: Path
) -> None:
    read = scored(worklist, 0.9, patient_name=f"{PLANTED}^Zebedea", patient_id="QX-1")
    worklist.reviews.add(read, "Weiss", Verdict.AGREE)
    scored(worklist, 0.8, patient_name=f"{PLANTED}^Zebedea", patient_id="QX-1")
    received(worklist, f"{PLANTED}.dcm", minutes=20)
    archive = Destination.parse("ORTHANC@archive:104")
    worklist.outbox.open(archive)
    worklist.jobs.submit(BACKLOG, {"folder": f"/films/{PLANTED}"})
    text, found = figures(worklist, audit, tmp_path)
    assert PLANTED not in text
    assert "QX-1" not in text
    assert found["cxr_films_received",] == 3
    assert found["cxr_films", "scored"] == 2
    assert found["cxr_films", "unscored"] == 1
    unread = {key: value for key, value in found.items() if key[0] == "cxr_films_unread"}
    assert sum(unread.values()) == 2
    assert unread["cxr_films_unread", "false", "not_judged"] == 1
    assert found["cxr_oldest_wait_seconds",] > 1100
    assert found["cxr_jobs", "backlog", "scheduled"] == 1
    assert found["cxr_model_info", "CPU", "pneumonia-a41c9f02"] == 1
    assert found["cxr_audit_waiting",] == 3
    assert ("cxr_log_errors_total",) in found
    assert ("cxr_scoring_seconds_count",) in found


def test_an_empty_worklist_has_figures_too(
    worklist: Worklist, audit: AuditLog, tmp_path: Path
) -> None:
    _, found = figures(worklist, audit, tmp_path)
    assert found["cxr_films", ScoringState.FAILED.value.lower()] == 0
    assert found["cxr_oldest_wait_seconds",] == 0


def test_results_are_counted_for_archives_that_are_named_and_withdrawn_ones_apart(
    worklist: Worklist, audit: AuditLog, tmp_path: Path
) -> None:
    header: dict[str, Any] = {name: f"1.2.{place}" for place, name in enumerate(UIDS)}
    for name in ("A@archive:104", "B@archive:104"):
        worklist.outbox.open(worklist.destinations.add(name, "Weiss"))
    scored(worklist, 0.9, **header)
    for archive in worklist.destinations.all():
        assert worklist.outbox.fill(archive, LONG_AGO) == 2
    worklist.outbox.resume_anew("A@archive:104")
    worklist.destinations.remove("B@archive:104")
    _, found = figures(worklist, audit, tmp_path)
    outgoing = {key[1:]: each for key, each in found.items() if key[0] == "cxr_results_outgoing"}
    assert outgoing == {("A@archive:104", "given_up"): 0, ("A@archive:104", "withdrawn"): 2}


def test_a_data_folder_that_is_gone_is_said_in_words(
    worklist: Worklist, audit: AuditLog, tmp_path: Path
) -> None:
    with pytest.raises(WorklistError, match="cannot be read"):
        figures(worklist, audit, tmp_path / "gone")


def test_the_waiting_cap_stands_beside_the_longest_wait(
    worklist: Worklist, audit: AuditLog, tmp_path: Path
) -> None:
    _, found = figures(worklist, audit, tmp_path)
    assert found["cxr_waiting_cap_seconds",] == Settings().waiting_cap_hours * 3600
