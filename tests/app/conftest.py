"""A separate worklist for every page test, and the app that shows it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import Worklist
from tests.support.worklists import ReadyEngine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ReadyEngine:
    """Install an engine that needs no network; its `current` status can be changed."""
    ready = ReadyEngine()
    monkeypatch.setattr(resources, "engine", lambda: ready)
    return ready


@pytest.fixture
def worklist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: ReadyEngine
) -> Iterator[Worklist]:
    """Open the worklist that the pages of this test will show."""
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    opened = Worklist.open(Settings.read().worklist_url)
    yield opened
    opened.close()


@pytest.fixture
def app(project_root: Path, worklist: Worklist) -> AppTest:
    """Return the app, not yet run, as a reader sees it whose browser has sent a name."""
    unknown = AppTest.from_file(project_root / "cxr_app/ui/script.py", default_timeout=60)
    unknown.session_state["reader_asked"] = True
    unknown.session_state["reader_name"] = "Weiss"
    return unknown


@pytest.fixture
def gestures(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Simulate one gesture of the reader on the table, at the next run of the page."""
    from cxr_app.ui.components import film_table as module

    mount = module._mount

    def do(opened: str | None = None, sorting: module.Sorting | None = None) -> None:
        waiting = [SimpleNamespace(opened=opened, sorted=sorting and asdict(sorting))]

        def mount_with_gesture(**options: Any) -> Any:
            nothing = mount(**options)
            return waiting.pop() if waiting else nothing

        monkeypatch.setattr(module, "_mount", mount_with_gesture)

    return do
