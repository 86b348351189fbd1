"""How far a long work is, between its process and the page."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.progress import Progress

PROGRESS = st.builds(
    Progress,
    done=st.integers(0, 10**9),
    total=st.none() | st.integers(0, 10**9),
    counts=st.dictionaries(st.text(), st.integers(0, 10**9)),
    rate=st.floats(0, 1e6),
    exit_status=st.none() | st.integers(0, 255),
    message=st.text(),
)


@given(PROGRESS)
def test_what_is_written_is_read_again(progress: Progress) -> None:
    assert Progress.from_json(progress.to_json()) == progress


def test_the_file_holds_the_last_picture_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    assert Progress.read(path) is None
    for done in range(3):
        Progress(done).write(path)
    assert Progress.read(path) == Progress(2)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", "{", "3"])
def test_what_is_no_progress_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(content)
    assert Progress.read(path) is None


def test_what_a_newer_program_adds_is_left_out() -> None:
    assert Progress.from_json('{"done": 3, "mood": "good"}') == Progress(3)


def test_a_wrong_value_is_refused_by_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "progress.json"
    path.write_text('{"done": "fast", "rate": 1}')
    assert Progress.read(path) is None
    assert "done" in caplog.text


def test_a_file_name_of_no_known_encoding_survives() -> None:
    progress = Progress(message="a\udce4.dcm cannot be read.")
    assert Progress.from_json(progress.to_json()) == progress
