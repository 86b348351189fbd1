"""What our scripts read of Streamlit's page is there in the build that is installed."""

from pathlib import Path

import streamlit


def test_streamlit_says_whether_its_script_runs() -> None:
    bundle = Path(streamlit.__file__).parent / "static" / "static" / "js"
    texts = [path.read_text(encoding="utf-8") for path in bundle.glob("*.js")]
    assert any("data-test-script-state" in text for text in texts)
    assert any("notRunning" in text for text in texts)
