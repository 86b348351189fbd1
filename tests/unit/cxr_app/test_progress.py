"""Progress of a job, written by its process and read by the page."""

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
def test_progress_is_read_as_it_was_written(progress: Progress) -> None:
    assert Progress.from_json(progress.to_json()) == progress


@given(PROGRESS, PROGRESS)
def test_a_resumed_job_is_as_far_as_before_until_it_knows_its_total(
    now: Progress, before: Progress
) -> None:
    shown = now.after(before)
    assert (shown.exit_status, shown.message) == (now.exit_status, now.message)
    known = before if now.total is None and before.total is not None else now
    assert (shown.done, shown.total, shown.counts) == (known.done, known.total, known.counts)


@given(PROGRESS)
def test_a_resumed_job_has_not_ended(progress: Progress) -> None:
    done = Progress(progress.done, progress.total, progress.counts)
    assert progress.resumed() == done


def test_the_file_holds_the_last_progress_and_no_other_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    assert Progress.read(path) is None
    for done in range(3):
        Progress(done).write(path)
    assert Progress.read(path) == Progress(2)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", "{", "3"])
def test_other_content_is_read_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(content)
    assert Progress.read(path) is None


def test_unknown_keys_of_a_newer_program_are_ignored() -> None:
    assert Progress.from_json('{"done": 3, "mood": "good"}') == Progress(3)


def test_a_wrong_value_is_logged_with_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "progress.json"
    path.write_text('{"done": "fast", "rate": 1}')
    assert Progress.read(path) is None
    assert "done" in caplog.text


def test_a_file_name_in_an_unknown_encoding_is_kept() -> None:
    progress = Progress(message="a\udce4.dcm cannot be read.")
    assert Progress.from_json(progress.to_json()) == progress
