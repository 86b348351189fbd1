"""Options of `training.batch`."""

from argparse import Namespace
from pathlib import Path


class BatchOptions(Namespace):
    """Options of `training.batch`, whose help describes them."""

    folder: Path | None
    from_pacs: str | None
    out: Path
    checkpoint: Path | None
    device: str | None
    engine: str
    workers: int | None
    batch_size: int | None
    limit: int | None
    watch: bool
    retry_failed: bool
    within: list[Path]
    progress: Path | None
    worklist: bool
