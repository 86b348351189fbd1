"""A worker that ends in the middle of the tests costs one test, and the others are still run."""

import os
import subprocess
import sys
from pathlib import Path

FILE = """
import os, time
import pytest

@pytest.mark.parametrize("number", range(6))
def test_is_run(number: int) -> None:
    time.sleep({seconds})
    if {ends} and number == 3 and not os.path.exists("ended"):
        open("ended", "w").close()
        os._exit(1)
"""


def test_a_lost_worker_fails_one_test_and_the_run_ends(project_root: Path, tmp_path: Path) -> None:
    # The other worker is at its last file, so that only the new one is there for what was lost.
    for number in range(9):
        text = FILE.format(seconds=0.5 if number == 8 else 0.02, ends=number == 7)
        (tmp_path / f"test_{number}.py").write_text(text)
    words = "-p tests.support.file_scheduling -p no:cacheprovider --numprocesses 2 --quiet"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words.split(), "--dist", "loadfile"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(project_root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 failed, 54 passed" in done.stdout, done.stdout + done.stderr
    assert "test_7.py::test_is_run[3]" in done.stdout
