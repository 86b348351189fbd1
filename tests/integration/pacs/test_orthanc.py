"""Orthanc sends films in every transfer syntax that it knows, as it has them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_app.imaging.film_identity import film_identity
from cxr_app.settings import PROJECT
from cxr_app.worklist import Query, Worklist
from tests.integration.pacs.test_receiver import COMPRESSED, NATIVE
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
)
from tests.support.peers import need

TIMEOUT_SECONDS = 240


@pytest.fixture
def own_network() -> list[str]:
    """The command that runs another in a network of its own: Orthanc listens everywhere."""
    need("Orthanc")
    command = ["unshare", "-n"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("a network namespace of its own is not permitted, and Orthanc needs one")
    return command


def test_orthanc_sends_films_unchanged(own_network: list[str], tmp_path: Path) -> None:
    films = [dicom_bytes(None, syntax) for syntax in NATIVE]
    films += [compressed_dicom_bytes(radiograph_dataset(), syntax) for syntax in COMPRESSED]
    films += [jpeg_dicom_bytes(film_pixels(bits=8))]
    for number, film in enumerate(films):
        (tmp_path / f"{number}.dcm").write_bytes(film)
    run = subprocess.run(
        [*own_network, sys.executable, "-m", "tests.support.orthanc_session", str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert set(json.loads(run.stdout).values()) == {200}
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'site' / 'data' / 'worklist.sqlite'}")
    entries = worklist.page(Query(state="all"))
    worklist.close()
    assert {entry.source for entry in entries} == {"ORTHANC@127.0.0.1"}
    kept = [film_identity(entry.path.read_bytes()) for entry in entries]
    sent = [film_identity(film) for film in films]
    assert {each and each.sop_instance_uid for each in kept} == {
        each and each.sop_instance_uid for each in sent
    }
    unchanged = {each and each.dataset_sha256 for each in kept} & {
        each and each.dataset_sha256 for each in sent
    }
    assert len(unchanged) == len(films)
