"""What the Backlog page says of a job."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cxr_app.progress import Progress
from cxr_app.ui.text import job_text
from cxr_app.worklist import Job, JobState

ENDED = (JobState.COMPLETED, JobState.CANCELLED, JobState.INTERRUPTED, JobState.FAILED)
COUNTS = {"SCORED": 1_200, "REJECTED": 3, "FAILED": 1, "flagged": 90}
JOB = Job(
    "0", "backlog", {"folder": "/archive"}, JobState.RUNNING, datetime(2026, 1, 1, tzinfo=UTC)
)


@pytest.mark.parametrize("state", [*ENDED, JobState.SCHEDULED])
def test_a_job_with_results_is_never_said_not_to_have_started(state: JobState) -> None:
    for progress in (Progress(counts=COUNTS), Progress(7_000, counts=COUNTS)):
        shown = replace(JOB, state=state, progress=progress)
        assert job_text.progress(shown) == "1,204 films so far"
        assert job_text.backlog_row(shown, shown=True)["films"] == "1,204"


@pytest.mark.parametrize("state", [*ENDED, JobState.SCHEDULED])
def test_only_a_running_job_searches_its_folder(state: JobState) -> None:
    found = Progress(7_000)
    searching = replace(JOB, progress=found)
    assert job_text.progress(searching) == "7,000 films so far; still searching the folder"
    assert job_text.progress(replace(searching, state=state)) == "Not started"
    assert job_text.backlog_row(replace(searching, state=state), shown=True)["films"] == "0"
