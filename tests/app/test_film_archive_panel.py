"""The archive that films are fetched from, on the Connections page."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_incoming_connections import opened
from tests.support.worklists import page_text


def test_without_an_archive_the_page_says_how_to_name_one(app: AppTest) -> None:
    assert "CXR_FILMS_FROM" in page_text(opened(app))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_archive_is_tested(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_FILMS_FROM", "AWAY@127.0.0.1:1")
    page = opened(app)
    assert "AWAY@127.0.0.1:1" in page_text(page)
    page.button(key="test_film_archive").click().run()
    assert "cannot be reached" in page.toast[0].value
