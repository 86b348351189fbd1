"""Reading the folder of a training."""

import json
from pathlib import Path
from typing import Any


def epochs_of(run_dir: Path) -> list[dict[str, Any]]:
    """Return the record of each epoch."""
    return [json.loads(line) for line in (run_dir / "epochs.jsonl").read_text().splitlines()]


def metrics_of(run_dir: Path) -> dict[str, Any]:
    """Return the figures on the validation films."""
    document: dict[str, Any] = json.loads((run_dir / "metrics.json").read_text())
    return document
