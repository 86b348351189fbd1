"""Once the network is loaded, the garbage collector has little to go through."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui.server import gc_freeze
from tests.support.worklists import ReadyEngine


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Leave the collector to the other tests as it was."""
    yield
    gc.unfreeze()


@pytest.mark.parametrize("state", ["ready", "failed"])
def test_what_is_there_when_the_network_is_in_is_set_aside(
    engine: ReadyEngine, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc_freeze, "CHECK_SECONDS", 0.0)
    end = EngineStatus("ready" if state == "ready" else "failed")
    engine.current = EngineStatus("loading")

    async def server() -> None:
        settled = asyncio.create_task(gc_freeze.freeze_after_start())
        for _ in range(50):
            await asyncio.sleep(0)
        assert gc.get_freeze_count() == 0
        assert not settled.done()
        engine.current = end
        await settled

    asyncio.run(server())
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10
