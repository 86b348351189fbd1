"""A worklist that was restored from a backup sends nothing before a person allows it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_app.destination import Destination
from cxr_app.operations.backup import back_up, restore
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import OutgoingState, Worklist
from tests.integration.conftest import DatabaseFactory
from tests.support.factories import dicom_bytes
from tests.support.scored_films import score_film

ARCHIVE = Destination.parse("ORTHANC@archive:4242")


@pytest.fixture(params=["sqlite", "postgresql"])
def restored(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: DatabaseFactory
) -> Iterator[Worklist]:
    """The restoration of a worklist whose backup had a film's two objects waiting."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.data_dir.mkdir()
    worklist = Worklist.open(settings.worklist_url)
    since = worklist.outbox.open(ARCHIVE)
    score_film(settings, worklist, dicom_bytes())
    assert worklist.outbox.fill(ARCHIVE, since) == 2
    back_up(settings, tmp_path / "backup")
    worklist.close()
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", database_url=new_database(request.param))
    restore(elsewhere, tmp_path / "backup")
    opened = Worklist.open(elsewhere.worklist_url)
    yield opened
    opened.close()


def test_nothing_is_sent_before_a_person_allows_it(restored: Worklist) -> None:
    outbox = restored.outbox
    (archive,) = outbox.archives()
    assert archive.held_at is not None
    assert outbox.open(ARCHIVE) == archive.since, "a server that starts changes nothing"
    assert outbox.claim(ARCHIVE.name) == []
    outbox.resume(ARCHIVE.name)
    assert len(outbox.claim(ARCHIVE.name)) == 2


def test_what_waits_is_sent_however_long_the_decision_takes(
    restored: Worklist,
) -> None:
    settings = Settings(data_dir=Path("unused"), results_give_up_hours=1e-6)
    sender = Sender(settings, restored, ARCHIVE)
    assert not sender.send_once()
    assert not sender.send_once()
    restored.outbox.resume(ARCHIVE.name)
    assert len(restored.outbox.claim(ARCHIVE.name)) == 2


def test_a_person_may_give_up_what_waits_and_send_what_comes(restored: Worklist) -> None:
    outbox = restored.outbox
    began = datetime.now(UTC)
    assert outbox.resume_anew(ARCHIVE.name) == 2
    assert outbox.claim(ARCHIVE.name) == []
    assert {each.state for each in outbox.newest()} == {OutgoingState.GIVEN_UP}
    assert outbox.fill(ARCHIVE, outbox.open(ARCHIVE)) == 0, "nothing of before comes back"
    (archive,) = outbox.archives()
    assert archive.since >= began
    assert archive.held_at is None
