"""Reading of single files for a batch run."""

from pathlib import Path

import pytest

from cxr_app.errors import ShortageError
from cxr_app.examined import refusal
from cxr_app.model.preprocessing import InputSpec
from cxr_app.outcome import ScoringState
from training.backlog.engines import file_scoring
from training.backlog.engines.contract import AlreadyScored, BacklogPlan, FoundFile
from training.backlog.results import Results


@pytest.mark.parametrize("shortage", [MemoryError(), ShortageError("short")], ids=repr)
def test_film_that_met_a_shortage_of_memory_is_due_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shortage: Exception
) -> None:
    def fail(*_: object) -> None:
        raise shortage

    path = tmp_path / "film.jpg"
    path.write_bytes(b"film")
    monkeypatch.setattr(file_scoring, "examine", fail)
    plan = BacklogPlan(tmp_path, "version", InputSpec(64, 0.5, 0.25))

    film = file_scoring.read_file(FoundFile(path, path.name), plan)

    assert not isinstance(film, AlreadyScored)
    outcome = refusal(film)
    assert outcome.state is ScoringState.FAILED
    assert "ran short of memory" in outcome.reason
    results = Results(tmp_path / "results.csv", "version")
    results.write([(path.name, outcome)])
    results.close()
    results = Results(tmp_path / "results.csv", "version")
    assert not results.contents(path.name)
    assert results.earlier == {}
    results.close()
