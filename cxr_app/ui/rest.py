"""What components of the page need to know of its script: `atRest()`, at the head of theirs."""

from pathlib import Path

REST = (Path(__file__).parent / "rest.js").read_text(encoding="utf-8")
