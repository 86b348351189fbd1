"""A patient's name is planted in films of every fate, and looked for wherever words go."""

import csv
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from tests.checkpoints import write_tiny
from tests.factories import compressed_dicom_bytes, dicom_bytes, film_pixels, radiograph_dataset
from training.fuzz import mutant

PROJECT = Path(__file__).resolve().parents[2]
PLANTED: dict[str, Any] = {
    "PatientName": "Quuxlove^Zebedea",
    "PatientID": "QX-18151210",
    "PatientBirthDate": "19151210",
    "InstitutionName": "Quuxlove Infirmary",
    "StudyDescription": "for Quuxlove",
}
MARKS = (b"quuxlove", b"zebedea", b"qx-18151210", b"19151210")


def films() -> dict[str, bytes]:
    """Films that are scored, refused for every kind of reason, and broken."""
    ds = radiograph_dataset(film_pixels(200, 180), **PLANTED)
    whole = dicom_bytes(ds)
    found = {
        "scored": whole,
        "without preamble": dicom_bytes(ds, whole=False),
        "deflated": dicom_bytes(ds, DeflatedExplicitVRLittleEndian),
        "JPEG 2000": compressed_dicom_bytes(ds, JPEG2000Lossless),
        "RLE": compressed_dicom_bytes(ds, RLELossless),
        "CT": dicom_bytes(radiograph_dataset(film_pixels(200, 180), **PLANTED, Modality="CT")),
        "no image": dicom_bytes(radiograph_dataset(**PLANTED, Rows=None, PixelData=None)),
        "cut short": whole[: len(whole) // 2],
        "cut in the header": whole[:900],
    }
    choose = random.Random(0)  # noqa: S311 - no secret
    mutants = {f"mutant {number}": mutant(whole, choose) for number in range(40)}
    named = {
        f"name in place {place}": whole.replace(uid, b"Quuxlove^Zebedea".ljust(len(uid), b"\0"))
        for place, uid in enumerate([b"1.2.840.10008.5.1.4.1.1.1", b"1.2.840.10008.1.2.1"])
    }
    return found | mutants | named


@pytest.fixture
def words(tmp_path: Path) -> dict[str, bytes]:
    """Everything that a backlog run says or writes, but for what the worklist is there to hold."""
    folder = tmp_path / "backlog"
    folder.mkdir()
    for name, data in films().items():
        (folder / f"{name}.dcm").write_bytes(data)
    environment = {
        **os.environ,
        "CXR_DATA_DIR": str(tmp_path / "data"),
        "CXR_CHECKPOINT": str(write_tiny(tmp_path / "tiny.safetensors")),
        "CXR_DEVICE": "cpu",
        "PYTHONWARNINGS": "always",
    }
    out = tmp_path / "results.csv"
    command = [sys.executable, "-m", "training.batch", str(folder), "--out", str(out)]
    ended = subprocess.run(
        [*command, "--workers", "0"], cwd=PROJECT, env=environment, capture_output=True, check=False
    )
    assert ended.returncode in (0, 1), ended.stderr.decode()
    with out.open(newline="", encoding="utf-8") as file:
        states = {row["state"] for row in csv.DictReader(file)}
    assert states == {"SCORED", "REJECTED", "FAILED"}
    paths = "\n".join(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")).encode()
    return {
        "output": ended.stdout,
        "errors": ended.stderr,
        "results": out.read_bytes(),
        "file names": paths,
    }


def test_planted_name_is_nowhere_but_in_the_worklist(words: dict[str, bytes]) -> None:
    for place, said in words.items():
        found = [mark for mark in MARKS if mark in said.lower()]
        assert not found, f"{found} in the {place}"
