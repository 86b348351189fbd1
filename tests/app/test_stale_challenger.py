"""A challenger that was compared with a model which is no longer in use."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.worklist import Worklist
from tests.app.test_models_panel import promoted_elsewhere
from tests.app.test_retrain_page import compared, shown, words
from tests.app.test_retrain_page import configured as configured
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import supervisor as supervisor
from tests.support.checkpoints import write_tiny

NOW, THEN = "Challenger against the model in use**", "Challenger against the model in use at that"
REASON = "which is no longer in use. Retrain once more"


def replace_in_use(worklist: Worklist, configured: Path, how: str) -> None:
    if how == "upgrade":
        write_tiny(configured, seed=5)
    else:
        promoted_elsewhere(worklist, "ab" * 32, "other-abababab")


@pytest.mark.parametrize("how", ["promotion", "upgrade"])
@pytest.mark.parametrize("by_two", [False, True])
def test_it_is_not_called_in_use_and_cannot_be_promoted(
    retrain: AppTest,
    worklist: Worklist,
    configured: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    by_two: bool,
) -> None:
    monkeypatch.setenv("CXR_PROMOTION_BY_TWO", str(by_two).lower())
    compared(worklist, configured)
    key = "propose" if by_two else "promote"
    page = shown(retrain)
    assert NOW in words(page)
    assert "In use" in page.table[0].value
    assert not page.button(key=key).disabled
    assert REASON not in words(page)
    replace_in_use(worklist, configured, how)
    page = shown(retrain)
    assert NOW not in words(page)
    assert THEN in words(page)
    assert "whether the model in use at that time was trained on" in words(page)
    for table in page.table:
        assert "In use" not in table.value
        assert "In use at that time" in table.value
    assert page.button(key=key).disabled
    assert REASON in words(page)
    assert not page.button(key="discard").disabled


def test_it_can_be_promoted_once_that_model_is_back(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    replace_in_use(worklist, configured, "promotion")
    shown(retrain).button(key="back_configured").click().run()
    page = shown(retrain)
    assert NOW in words(page)
    assert not page.button(key="promote").disabled


def test_one_that_is_in_use_now_is_not_compared_with_itself(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured)
    shown(retrain).button(key="promote").click().run()
    page = shown(retrain)
    assert THEN in words(page)
    assert REASON not in words(page)
    assert "promote" not in [str(each.key) for each in page.button]


def test_a_worse_one_has_its_own_reason(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    compared(worklist, configured, not_worse=False)
    replace_in_use(worklist, configured, "promotion")
    page = shown(retrain)
    assert page.button(key="promote").disabled
    assert REASON not in words(page)
