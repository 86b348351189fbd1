"""What components need to know of the page: `atRest()`, `untouched()`, at the head of theirs."""

from pathlib import Path

REST = (Path(__file__).parent / "script_state.js").read_text(encoding="utf-8")
