"""The banner of every page shows debug mode."""

import pytest
from streamlit.testing.v1 import AppTest

DEBUG_BANNER = "Developer's mode: errors show their whole message"
PAGES = ("worklist", "upload")


@pytest.mark.parametrize("page", PAGES)
def test_the_banner_of_every_page_shows_debug_mode(
    page: str, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DEBUG", "1")
    app.run()
    app.switch_page(f"views/{page}.py").run()
    assert any(DEBUG_BANNER in each.value for each in app.caption)


def test_the_banner_does_not_mention_it_otherwise(app: AppTest) -> None:
    app.run()
    assert not any(DEBUG_BANNER in each.value for each in app.caption)
