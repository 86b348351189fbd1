"""Scoring processes begin early, and import nothing that scoring does not need."""

import subprocess
import sys

import pytest

from cxr_app.settings import PROJECT


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("training.batch", {"numpy", "sqlalchemy", "pydicom", "scipy"}),
        ("training.backlog.batch_run", {"scipy", "pydicom", "openvino", "torch", "streamlit"}),
        ("training.backlog.engines.local", {"scipy", "pydicom", "openvino", "torch", "sqlalchemy"}),
        (
            "training.backlog.engines.scoring_worker",
            {"sqlalchemy", "pynetdicom", "torch", "streamlit", "openvino_telemetry.main"},
        ),
    ],
)
def test_a_process_imports_only_what_it_needs(module: str, unwanted: set[str]) -> None:
    found = f"import sys, {module}; print(*(set(sys.modules) & {unwanted!r}))"
    done = subprocess.run(
        [sys.executable, "-c", found], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
