"""The output path is checked before anything is measured."""

from pathlib import Path

import pytest

from cxr_app.errors import SettingsError
from training.command_line.output_path import prepare_output


def test_the_folder_of_a_report_is_created(tmp_path: Path) -> None:
    report = tmp_path / "of" / "today" / "report.json"
    prepare_output(report)
    report.write_text("{}")
    prepare_output(report)
    assert report.read_text() == "{}"


def test_a_path_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path, tmp_path / "file" / "report.json"):
        with pytest.raises(SettingsError, match=f"{path.name} cannot be written"):
            prepare_output(path)
