"""What every test gets: a clean environment, clean Streamlit caches, and honest skips."""

import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.file_scheduling import (
    pytest_xdist_make_scheduler as pytest_xdist_make_scheduler,
)

# A busy machine is slow, and that is no failure; pytest-timeout catches what hangs.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# A script that starts the tests in its background has Ctrl-C ignored, in them and what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

PROJECT = Path(__file__).resolve().parent.parent

MAY_SKIP_IN_CI = (
    "shared/data",
    "DCMTK",
    "systemd-analyze",
    "nginx",
    "caddy",
    "dicom3tools",
    "Orthanc",
    "promtool",
    "CUDA",
    "MPS",
    "GPU",
    "namespace",
    "history",
)
"""What a machine of the CI need not have; any other skip there hides a suite that must run."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: two workers that build the same archive differ in its clock."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def project_root() -> Path:
    """The folder that holds app.py."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real films beside the project; the tests that need them skip where they are not."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here: real films are not part of the project")
    return folder


@pytest.fixture(autouse=True)
def no_settings_leak() -> Iterator[None]:
    """Hide the developer's own CXR_* settings, and fail the test that leaves one behind."""
    own = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("CXR_")}
    yield
    leaked = [name for name in os.environ if name.startswith("CXR_")]
    for name in leaked:
        del os.environ[name]
    os.environ.update(own)
    assert not leaked, f"the test leaks environment variables: {leaked}; use monkeypatch.setenv"


@pytest.fixture(autouse=True)
def no_cached_resources() -> Iterator[None]:
    """Streamlit's caches outlive a test in one process: empty them."""
    yield
    if "streamlit" in sys.modules:
        import streamlit as st

        st.cache_data.clear()
        st.cache_resource.clear()


@pytest.fixture(autouse=True)
def same_main_module() -> Iterator[None]:
    """An AppTest leaves its page as ``__main__``, which every process begun later would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep each phase's report for the fixtures, and fail a skip that CI must not have."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        reason = str(call.excinfo.value) if call.excinfo else ""
        if not any(word in reason for word in MAY_SKIP_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"skipped where every suite must run: {reason}"
    item.stash.setdefault(REPORTS, []).append(report)
    return report


REPORTS = pytest.StashKey[list[pytest.TestReport]]()
"""The reports of a test's phases so far, for fixtures that keep evidence of a failure."""
