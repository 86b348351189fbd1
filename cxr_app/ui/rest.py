"""What components need to know of the page: `atRest()`, `untouched()`, at the head of theirs."""

from pathlib import Path

REST = (Path(__file__).parent / "rest.js").read_text(encoding="utf-8")
