"""JavaScript shared by the components: whether the page's script runs, and the last input."""

from pathlib import Path

REST = (Path(__file__).parent / "script_state.js").read_text(encoding="utf-8")
