"""A worklist of its own for every page test, and the app standing on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import Worklist
from tests.support.worklists import ReadyEngine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ReadyEngine:
    """Put an engine in place that needs no network; its `current` status can be changed."""
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
    """Give the app, not yet run."""
    return AppTest.from_file(project_root / "cxr_app/ui/script.py", default_timeout=60)


@pytest.fixture
def gestures(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the reader do something with the table at the next run of the page, once."""
    from cxr_app.ui.components import film_table as module

    show = module.film_table

    def do(**gesture: object) -> None:
        waiting = [module.Gesture(**gesture)]  # type: ignore[arg-type]

        def table(*args: object, **options: object) -> module.Gesture:
            nothing = show(*args, **options)  # type: ignore[arg-type]
            return waiting.pop() if waiting else nothing

        monkeypatch.setattr(module, "film_table", table)

    return do
