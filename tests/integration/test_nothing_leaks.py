"""A patient's name in films of every state must not reach logs, results or file names."""

import csv
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from cxr_app.jobs.kinds import PROGRESS, REVIEWED, backlog_command, retraining_command
from cxr_app.progress import Progress
from tests.support.checkpoints import write_tiny
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    film_pixels,
    radiograph_dataset,
)
from tests.support.films import jpeg, write_manifest
from training.bench.mutants import mutant

PROJECT = Path(__file__).resolve().parents[2]
PLANTED: dict[str, Any] = {
    "PatientName": "Quuxlove^Zebedea",
    "PatientID": "QX-18151210",
    "PatientBirthDate": "19151210",
    "InstitutionName": "Quuxlove Infirmary",
    "StudyDescription": "for Quuxlove",
}
MARKS = (b"quuxlove", b"zebedea", b"qx-18151210", b"19151210")
FAULT = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from cxr_app.imaging import intake

def fail(data, sha256="", **_):
    raise LookupError("no value in the table for " + "aedebeZ^evolxuuQ"[::-1])

intake.read_radiograph = fail
"""
"""Code that every Python process runs: it adds an error of the program that quotes a name.

The name is written backwards, because a traceback shows the line itself.
"""


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
def outputs(tmp_path: Path) -> dict[str, bytes]:
    """Everything that a backlog run prints or writes, except the worklist."""
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


def test_the_planted_name_is_only_in_the_worklist(outputs: dict[str, bytes]) -> None:
    for place, content in outputs.items():
        found = [mark for mark in MARKS if mark in content.lower()]
        assert not found, f"{found} in the {place}"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of a job, with a model that is quickly loaded."""
    return {
        **os.environ,
        "CXR_DATA_DIR": str(tmp_path / "data"),
        "CXR_CHECKPOINT": str(write_tiny(tmp_path / "tiny.safetensors")),
        "CXR_DEVICE": "cpu",
    }


@pytest.fixture
def with_fault(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same, with an error on every film whose message quotes the patient's name."""
    (tmp_path / "fault").mkdir()
    (tmp_path / "fault" / "sitecustomize.py").write_text(FAULT)
    return {**environment, "PYTHONPATH": str(tmp_path / "fault")}


def log_of(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a job's command; return its exit status and its log."""
    ended = subprocess.run(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return ended.returncode, ended.stdout.decode()


def assert_no_mark(log: str) -> None:
    found = [mark for mark in MARKS if mark.decode() in log.lower()]
    assert not found, log


def test_an_error_of_a_backlog_shows_where_but_not_whose(
    with_fault: dict[str, str], tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "Quuxlove.dcm").write_bytes(dicom_bytes())
    (tmp_path / "job").mkdir()
    (archive / "Quuxlove^Zebedea").symlink_to(tmp_path / "job")
    command = backlog_command({"folder": str(archive), "within": [str(archive)]}, tmp_path / "job")
    status, log = log_of(command, with_fault)
    assert status == 1
    assert "LookupError" in log
    assert "in fail" in log
    assert_no_mark(log)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Enough drawn films to train on; the patients are named, and so is a file."""
    rows = []
    for number in range(320):
        cause = ("", "", "bacterial", "viral")[number % 4]
        name = "Quuxlove^Zebedea" if number == 0 else str(number)
        path = tmp_path / f"{name}.jpeg"
        path.write_bytes(jpeg(number, cause, 48, 48))
        target = "PNEUMONIA" if cause else "NORMAL"
        row = {"path": str(path), "target": target, "cause": cause, "partition": ""}
        rows.append(row | {"patient_id": f"QX-18151210 {name}"})
    return write_manifest(tmp_path / REVIEWED, rows)


def retrain(manifest: Path, environment: dict[str, str]) -> tuple[int, str]:
    place = manifest.parent
    (place / "quick.toml").write_text('architecture = "resnet18"\nstages = [{size=32, epochs=1}]')
    requested = {
        "recipe_path": str(place / "quick.toml"),
        "data": [],
        "within": [],
        "reviewed": True,
    }
    return log_of(retraining_command(requested, place), environment)


def test_an_error_of_a_retraining_shows_where_but_not_whose(
    manifest: Path, with_fault: dict[str, str]
) -> None:
    status, log = retrain(manifest, with_fault)
    assert status == 1
    assert "LookupError" in log
    assert "in fail" in log
    assert_no_mark(log)


def test_an_unusable_film_is_named_on_the_page_but_not_in_the_log(
    manifest: Path, environment: dict[str, str]
) -> None:
    (manifest.parent / "Quuxlove^Zebedea.jpeg").write_bytes(b"no film")
    status, log = retrain(manifest, environment)
    assert status == 2
    progress = Progress.read(manifest.parent / PROGRESS)
    assert progress is not None
    assert "Quuxlove^Zebedea.jpeg cannot be used" in progress.message
    assert_no_mark(log)
