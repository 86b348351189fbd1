"""A run whose progress cannot be written is refused before it begins."""

from pathlib import Path

import pytest

from cxr_app.progress import Progress
from training import batch, retrain
from training.command_line.progress_file import begin_progress


def test_the_first_progress_is_there_at_once(tmp_path: Path) -> None:
    begin_progress(None)
    begin_progress(tmp_path / "progress.json")
    assert Progress.read(tmp_path / "progress.json") == Progress()


@pytest.mark.parametrize("place", ["", "missing/progress.json", "file/progress.json"])
def test_progress_that_cannot_be_written_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "out"
    options = ["--out", str(out), "--progress", str(tmp_path / place)]
    for main, words in ((batch.main, [str(tmp_path), *options]), (retrain.main, options)):
        assert main(words) == 2
        assert "cannot be written" in capsys.readouterr().err
    assert not out.exists()
