"""The models in use so far, and the way back to each."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.worklist import Promotion, Worklist
from tests.app.test_retrain_page import compared, shown
from tests.app.test_retrain_page import configured as configured
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import supervisor as supervisor


def promoted_elsewhere(worklist: Worklist, sha256: str, version: str) -> Promotion:
    """A change in another window, which this one has not shown yet."""
    return worklist.promotions.put_to_use(
        sha256,
        version,
        by="Grau",
        instead_of=worklist.promotions.newest(),
        replaced_version="tiny",
    )


@pytest.mark.parametrize("to_settings", [True, False])
def test_a_way_back_does_not_override_a_promotion_that_the_page_has_not_shown(
    retrain: AppTest, worklist: Worklist, configured: Path, to_settings: bool
) -> None:
    compared(worklist, configured)
    shown(retrain).button(key="promote").click().run()
    if not to_settings:
        shown(retrain).button(key="back_configured").click().run()
    (key,) = [str(each.key) for each in shown(retrain).button if str(each.key).startswith("back_")]
    other = promoted_elsewhere(worklist, "ab" * 32, "other-abababab")
    retrain.button(key=key).click().run()
    assert "has just been changed" in retrain.error[0].value
    assert worklist.promotions.newest() == other
    retrain.button(key=key).click().run()  # seen now
    assert not retrain.error
    assert worklist.promotions.newest() != other
