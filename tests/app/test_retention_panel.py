"""The Backlog page tells of a clock that has jumped, and lets a person confirm it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.film_store import FilmStore
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import Worklist
from tests.support.worklists import page_text


def test_a_clock_that_has_jumped_is_told_and_can_be_confirmed(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    settings = Settings(data_dir=tmp_path / "data", retention_days=30)
    ahead_worklist = Worklist.open(settings.worklist_url, lambda: ahead)
    retention = Retention(settings, ahead_worklist, lambda: ahead)
    monkeypatch.setattr(resources, "retention", lambda: retention)
    films = FilmStore(settings.films_dir)
    sha256 = films.keep(b"film")
    entry_id, _ = worklist.receive(sha256, "film.dcm", films.path(sha256))
    worklist.record(Outcome(sha256, ScoringState.FAILED, Priority.MEDIUM, reason="No film."))
    worklist.mark_read(entry_id, "Weiss")
    retention.sweep()
    app.run()
    app.switch_page("views/backlog.py").run()
    (warning,) = app.warning
    assert "the server's clock shows" in warning.value
    app.button(key="confirm_clock").click().run()
    assert not app.exception
    assert not app.warning
    retention.sweep()
    app.run()
    ahead_worklist.close()
    assert not app.warning
    assert "deletion follows a day after" in page_text(app)


def test_a_site_that_keeps_films_for_ever_sees_nothing_of_it(app: AppTest) -> None:
    app.run()
    app.switch_page("views/backlog.py").run()
    assert not app.exception
    assert not app.warning
    assert "deletion" not in page_text(app)
