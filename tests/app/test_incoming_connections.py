"""What comes in, on the Connections page: what to enter on the other side, and who sends."""

from datetime import UTC, datetime
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.ui import resources
from cxr_app.worklist import PeerCounts, Worklist
from tests.support.peers import free_port, is_open
from tests.support.worklists import page_text

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def opened(app: AppTest) -> AppTest:
    app.run()
    app.switch_page("views/connections.py").run()
    assert not app.exception
    return app


def test_without_a_port_the_page_says_how_to_receive(app: AppTest) -> None:
    text = page_text(opened(app))
    assert "CXR_DICOM_PORT" in text
    assert "Nobody has sent anything yet" in text


def test_the_page_shows_what_to_enter_and_tests_the_receiver(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("CXR_DICOM_PORT", str(port))
    monkeypatch.setenv("CXR_AE_TITLE", "TRIAGE")
    monkeypatch.setenv("CXR_DICOM_CALLERS", "CT1")
    try:
        page = opened(app)
        entered = [code.value for code in page.code]
        assert entered[:3] == ["TRIAGE", "127.0.0.1", str(port)]  # a made-up report follows
        deadline = monotonic() + 120
        while not is_open(port):
            assert monotonic() < deadline
            sleep(0.1)
        page.button(key="echo_receiver").click().run()
        assert not page.exception
        assert "The receiver answers" in page.success[0].value
    finally:
        resources.close()


def test_senders_are_listed_with_what_was_refused(app: AppTest, worklist: Worklist) -> None:
    counts = PeerCounts(
        films=12, repeated=1, refused=2, seen_at=NOW, film_at=NOW, refused_at=NOW, refusal="Cut."
    )
    worklist.peers.report({("XRAY1", "10.0.0.7"): counts, ("<b>", "::1"): PeerCounts(seen_at=NOW)})
    worklist.peers.report({("XRAY1", "10.0.0.7"): PeerCounts(films=1, seen_at=NOW)})
    (table,) = opened(app).dataframe
    first = table.value.set_index("AE title").loc["XRAY1"]
    assert (first["Films"], first["Sent again"], first["Refused"]) == (13, 1, 2)
    assert first["Why"] == "Cut."
