"""Large files that bypass the system's cache have every byte, and none more."""

import errno
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.uncached_file import BLOCK_BYTES, PART_BYTES, SMALLEST_BYTES, write_uncached

PLACES = [Path(tempfile.gettempdir()), Path("/dev/shm")]  # noqa: S108 - memory has no such access
EDGES = [0, 1, SMALLEST_BYTES - 1, SMALLEST_BYTES, PART_BYTES + 1, 2 * PART_BYTES]
EDGES += [2 * PART_BYTES + each for each in (-1, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1)]


def written(folder: Path, content: bytes) -> bytes:
    """Write over a longer file, and return what is there."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        path = Path(file.name)
        path.write_bytes(b"x" * BLOCK_BYTES if not content else b"")
        write_uncached(path, content)
        return path.read_bytes()


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("folder", PLACES, ids=["disk", "memory"])
def test_a_file_has_what_was_written(folder: Path, size: int) -> None:
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    content = os.urandom(size)
    assert written(folder, content) == content


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(SMALLEST_BYTES, 4 * SMALLEST_BYTES), st.binary(min_size=1, max_size=300))
def test_a_film_of_any_size_is_whole(size: int, pattern: bytes) -> None:
    content = (pattern * (size // len(pattern) + 1))[:size]
    assert written(PLACES[0], content) == content


def test_a_disk_that_takes_no_more_is_an_error_and_not_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.touch()
    program = (
        "import resource, sys; from pathlib import Path;"
        "from cxr_app.uncached_file import write_uncached;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({PART_BYTES}, {resource.RLIM_INFINITY}));"
        "write_uncached(Path(sys.argv[1]), bytes(3 * 2**20))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, check=False, text=True
    )
    assert os.strerror(errno.EFBIG) in run.stderr or run.returncode < 0
