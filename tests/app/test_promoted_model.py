"""A promoted model is said to be in use once the engine has it, or why it is not."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.scoring_engine import EngineStatus
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.app.test_retrain_page import compared, shown
from tests.app.test_retrain_page import configured as configured
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import supervisor as supervisor
from tests.support.worklists import ReadyEngine


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (EngineStatus("loading"), "is being loaded"),
        (EngineStatus("ready", checkpoint=Path("/models/old")), "is being loaded"),
        (EngineStatus("ready", "The file is damaged.", checkpoint=Path("/models/old")), "cannot"),
        (EngineStatus("failed", "The file is damaged."), "cannot"),
        (EngineStatus("ready"), "is in use"),
    ],
)
def test_a_promoted_model_is_in_use_once_the_engine_has_it(
    retrain: AppTest,
    worklist: Worklist,
    configured: Path,
    engine: ReadyEngine,
    status: EngineStatus,
    said: str,
) -> None:
    """In the window of the person who promoted it, and in every other."""
    compared(worklist, configured)
    shown(retrain).button(key="promote").click().run()
    promoted = worklist.promotions.newest()
    assert promoted is not None
    if said == "is in use":
        in_use = Settings.read().models_dir / f"{promoted.sha256}.safetensors"
        status = replace(status, checkpoint=in_use)
    engine.current = status
    for _ in range(2):
        page = shown(retrain)
        told = [each.value for each in (*page.success, *page.info, *page.warning)]
        assert [said in each for each in told if each.startswith("This model")] == [True]
        assert bool(page.success) == (said == "is in use")
        if "loading_model" in page.session_state:
            del page.session_state["loading_model"]
