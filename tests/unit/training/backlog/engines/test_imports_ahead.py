"""Scoring processes begin early, and import nothing that scoring does not need."""

import subprocess
import sys

import pytest

from cxr_app.settings import PROJECT


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("training.batch", {"numpy", "sqlalchemy", "pydicom", "scipy"}),
        ("training.backlog.batch_run", {"pynetdicom", "torch", "streamlit"}),
        ("training.backlog.engines.local", {"sqlalchemy", "pynetdicom", "torch", "streamlit"}),
    ],
)
def test_a_process_imports_only_what_it_needs(module: str, unwanted: set[str]) -> None:
    found = f"import sys, {module}; print(*(set(sys.modules) & {unwanted!r}))"
    done = subprocess.run(
        [sys.executable, "-c", found], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
