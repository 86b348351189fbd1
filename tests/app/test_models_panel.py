"""The models in use so far, and the way back to each."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.model import checkpoint
from cxr_app.worklist import Promotion, Worklist
from tests.app.test_retrain_page import compared, shown, words
from tests.app.test_retrain_page import configured as configured
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import supervisor as supervisor
from tests.support.checkpoints import write_tiny


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


def test_the_way_back_to_the_server_default_names_the_model_of_its_file_now(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    before = checkpoint.load(configured).model_version
    compared(worklist, configured)
    shown(retrain).button(key="promote").click().run()
    after = checkpoint.load(write_tiny(configured, seed=5)).model_version
    page = shown(retrain)
    label = page.button(key="back_configured").label.replace("\\", "")
    assert label == f"Back to {after} (server default)"
    assert f"{before} (server default)" not in words(page)
    page.button(key="back_configured").click().run()
    newest = worklist.promotions.history()[0]
    assert newest.model_version == after
    write_tiny(configured, seed=6)
    assert f"· {after} (server default) · by" in words(shown(retrain))


def test_a_change_of_an_earlier_version_of_the_program_has_no_false_name(
    retrain: AppTest, worklist: Worklist, configured: Path
) -> None:
    """It recorded no version of the server default."""
    promoted_elsewhere(worklist, "ab" * 32, "other-abababab")
    promoted_elsewhere(worklist, "", "")
    promoted_elsewhere(worklist, "cd" * 32, "more-cdcdcdcd")
    text = words(shown(retrain))
    assert "· server default · by Grau" in text
    version = checkpoint.load(configured).model_version
    label = retrain.button(key="back_configured").label.replace("\\", "")
    assert label == f"Back to {version} (server default)"
