import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app.jobs.csv_cells import text_of
from cxr_app.jobs.unscored import RefusalReader
from cxr_app.outcome import ScoringState
from cxr_app.progress import Progress
from cxr_app.worklist import Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training import batch
from training.backlog import folder_origin
from training.backlog.batch_run import STOPPED
from training.backlog.engines.contract import FoundFile
from training.backlog.folder import FolderScan
from training.backlog.results import COLUMNS

NO_PRIVILEGE = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--") if os.geteuid() == 0 else ()
)
"""Root may open any file unless it gives up that privilege."""


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def backlog(tmp_path: Path) -> Path:
    """A folder with films at several depths, and files that are not films."""
    folder = tmp_path / "backlog"
    (folder / "2026" / "deep").mkdir(parents=True)
    (folder / "a.jpeg").write_bytes(jpeg(1))
    (folder / "2026" / "no-suffix").write_bytes(jpeg(2, "viral"))
    (folder / "2026" / "deep" / "=cmd.jpg").write_bytes(jpeg(3, "bacterial"))
    (folder / "2026" / "copy of a.jpeg").write_bytes(jpeg(1))
    (folder / "2026" / "broken.dcm").write_text("a text that was named .dcm")
    (folder / "2026" / "readme.txt").write_text("not a film and not named like one")
    return folder


@pytest.fixture
def environment(
    tmp_path: Path, checkpoint_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(checkpoint_path))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    return monkeypatch


def run(*arguments: object) -> int:
    """Run the command in this process: starting another takes seconds each time."""
    return batch.main([*map(str, arguments), "--workers", "0"])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("environment")
def test_every_film_found_gets_one_row_of_the_contract(backlog: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"

    status = run(backlog, "--out", out)

    assert status == 1  # one file FAILED
    assert out.read_text().splitlines()[0] == ",".join(COLUMNS)
    rows = {row["source"]: row for row in rows_of(out)}
    assert set(rows) == {
        "a.jpeg",
        "2026/no-suffix",
        "2026/deep/=cmd.jpg",
        "2026/copy of a.jpeg",
        "2026/broken.dcm",
    }
    scored = rows["a.jpeg"]
    parts = [float(scored[f"{cause}_probability"]) for cause in ("bacterial", "viral")]
    assert float(scored["pneumonia_probability"]) == pytest.approx(sum(parts), abs=2e-6)
    assert scored["flagged"] in {"true", "false"}
    assert scored["state"] == "SCORED"
    assert rows["2026/copy of a.jpeg"]["sha256"] == scored["sha256"]
    assert rows["2026/broken.dcm"]["state"] == "FAILED"
    assert "not a film" in rows["2026/broken.dcm"]["reason"]


@pytest.mark.usefixtures("environment")
def test_the_films_are_in_the_worklist_once_and_can_be_opened(
    backlog: Path, tmp_path: Path
) -> None:
    run(backlog, "--out", tmp_path / "results.csv")

    worklist = Worklist.open(f"sqlite:///{tmp_path / 'data' / 'worklist.sqlite'}")
    entries = worklist.page(Query(state="all"))
    worklist.close()
    assert len(entries) == 4  # the copy is the same film
    assert all(entry.path.is_file() for entry in entries)
    assert {entry.state for entry in entries} == {ScoringState.SCORED, ScoringState.FAILED}


@pytest.mark.usefixtures("environment")
def test_without_the_worklist_no_database_is_touched(backlog: Path, tmp_path: Path) -> None:
    run(backlog, "--out", tmp_path / "results.csv", "--no-worklist")

    assert not (tmp_path / "data" / "worklist.sqlite").exists()


@pytest.mark.usefixtures("environment")
def test_a_run_cut_off_within_a_row_resumes_without_loss_or_repeat(
    backlog: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results.csv"
    run(backlog, "--out", out)
    whole = rows_of(out)
    content = out.read_bytes()
    for cut in range(len(",".join(COLUMNS)) + 2, len(content), 97):
        out.write_bytes(content[:cut])

        run(backlog, "--out", out, "--no-worklist")

        assert sorted(row["source"] for row in rows_of(out)) == sorted(
            row["source"] for row in whole
        )


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("content", ["something,else\n1,2\n", None])
def test_a_file_that_is_not_a_results_file_is_left_unchanged(
    backlog: Path, tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.csv"
    if content is None:  # results of another model
        run(backlog, "--out", out, "--no-worklist")
        content = out.read_text().replace("tiny-", "other-")
    out.write_text(content)

    assert run(backlog, "--out", out, "--no-worklist") == 2
    assert "another --out" in capsys.readouterr().err
    assert out.read_text() == content


@pytest.mark.usefixtures("environment")
def test_no_cell_begins_with_a_formula(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    names = ["=1+1.jpg", "+a.jpg", "-b.jpg", "@c.jpg", "'d.jpg", ";=2+2.jpg"]
    for name in names:
        (folder / name).write_bytes(jpeg(1))
    out = tmp_path / "results.csv"

    run(folder, "--out", out, "--no-worklist")
    again = out.read_bytes()
    run(folder, "--out", out, "--no-worklist")

    assert out.read_bytes() == again
    assert not re.search(rb"(^|[,;\n])[=+@-]", out.read_bytes())
    assert sorted(text_of(row["source"]) for row in rows_of(out)) == sorted(names)


@pytest.mark.usefixtures("environment")
def test_an_impossible_run_exits_with_2_and_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "nowhere", "--out", tmp_path / "r.csv") == 2
    assert "not a folder" in capsys.readouterr().err


def test_the_command_of_the_readme_runs(
    backlog: Path, tmp_path: Path, checkpoint_path: Path, project_root: Path
) -> None:
    out = tmp_path / "results.csv"
    command = [sys.executable, "-m", "training.batch", str(backlog), "--out", str(out)]
    environment = {"CXR_DATA_DIR": str(tmp_path), "CXR_CHECKPOINT": str(checkpoint_path)}

    done = subprocess.run(
        [*command, "--device", "cpu", "--workers", "1"],
        cwd=project_root,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "5 files: 4 SCORED, 0 REJECTED, 1 FAILED" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("environment")
def test_an_unreadable_file_has_a_row_and_is_read_as_soon_as_possible(tmp_path: Path) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    (folder / "film.jpg").write_bytes(jpeg(1))
    (folder / "one-byte.dcm").write_bytes(b"1")
    (folder / "later.jpg").symlink_to(tmp_path / "later.jpg")
    with (folder / "huge.dcm").open("wb") as file:
        file.truncate(4 * 2**30)

    assert run(folder, "--out", out) == 1
    reasons = {row["source"]: row["reason"] for row in rows_of(out)}
    assert reasons["film.jpg"] == ""
    assert "neither DICOM, JPEG nor PNG" in reasons["one-byte.dcm"]
    assert "The file cannot be read: No such file or directory." in reasons["later.jpg"]
    assert "4096 MB, more than the 256 MB allowed" in reasons["huge.dcm"]
    listed = {each.source for each in RefusalReader(out).refusals()}  # as the page shows them
    assert listed == {"huge.dcm", "later.jpg", "one-byte.dcm"}

    (tmp_path / "later.jpg").write_bytes(jpeg(2))
    (folder / "huge.dcm").unlink()
    (folder / "one-byte.dcm").write_bytes(jpeg(3))
    assert run(folder, "--out", out, "--retry-failed") == 0
    assert sorted(row["source"] for row in rows_of(out)) == [
        "film.jpg",
        "later.jpg",
        "one-byte.dcm",
    ]


@pytest.mark.usefixtures("environment")
def test_a_forbidden_file_is_reported_and_scored_once_it_is_allowed(
    tmp_path: Path, project_root: Path
) -> None:
    if NO_PRIVILEGE and shutil.which(NO_PRIVILEGE[0]) is None:
        pytest.skip("root may open anything, and setpriv (util-linux) is not installed")
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    (folder / "closed").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for number, name in enumerate(("open.jpg", "secret.jpg", "closed/film.jpg")):
        (folder / name).write_bytes(jpeg(number))
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "closed").chmod(0)
    (folder / "secret.jpg").chmod(0)
    command = [sys.executable, "-m", "training.batch", str(folder), "--out", str(out)]
    done = subprocess.run(
        [*NO_PRIVILEGE, *command, "--workers", "0"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    listed = {each.source: each.reason for each in RefusalReader(out).refusals()}
    assert listed["closed/"].startswith("The folder cannot be opened: Permission denied.")
    assert listed["secret.jpg"].startswith("The file cannot be read: Permission denied.")
    assert listed["linked/"].startswith("It is a link to a folder elsewhere")
    assert len(listed) == 3

    (folder / "closed").chmod(0o700)
    (folder / "secret.jpg").chmod(0o600)
    (folder / "linked").unlink()
    assert run(folder, "--out", out) == 0
    assert {row["source"]: row["state"] for row in rows_of(out)} == dict.fromkeys(
        ["open.jpg", "secret.jpg", "closed/film.jpg"], "SCORED"
    )


@pytest.mark.usefixtures("environment")
def test_files_that_vanish_during_the_run_get_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    found = list(FolderScan(folder))

    class EarlierScan(FolderScan):
        def __iter__(self) -> Iterator[FoundFile]:
            return iter(found)

    monkeypatch.setattr(folder_origin, "FolderScan", EarlierScan)
    (folder / "1.jpg").unlink()
    assert run(folder, "--out", out) == 1
    assert [row["state"] for row in sorted(rows_of(out), key=lambda row: row["source"])] == [
        "SCORED",
        "FAILED",
        "SCORED",
    ]


@pytest.mark.usefixtures("environment")
def test_a_limited_run_stops_at_the_limit_and_the_next_continues(
    backlog: Path, tmp_path: Path
) -> None:
    out, progress = tmp_path / "results.csv", tmp_path / "progress.json"
    for limit, rows in ((0, 0), (2, 2), (2, 4), (9, 5)):
        run(backlog, "--out", out, "--limit", limit, "--progress", progress)
        assert len(rows_of(out)) == rows
    progress_read = Progress.read(progress)
    assert progress_read is not None
    assert (progress_read.done, progress_read.total, progress_read.exit_status) == (5, 5, 1)
    flagged = sum(row["flagged"] == "true" for row in rows_of(out))
    assert progress_read.counts == {
        "SCORED": 4,
        "REJECTED": 0,
        "FAILED": 1,
        "flagged": flagged,
        "scored_before": 3,
    }


@pytest.mark.usefixtures("environment")
def test_a_watched_folder_is_scored_as_films_arrive_until_interrupted(
    tmp_path: Path, project_root: Path
) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    words = [*(str(folder), "--out", str(out), "--watch"), "--workers", "0"]
    command = [sys.executable, "-m", "training.batch", *words]
    with subprocess.Popen(command, cwd=project_root, stdout=subprocess.PIPE, text=True) as watching:
        for number in range(2):
            (folder / f"{number}.jpg").write_bytes(jpeg(number))
            while not out.exists() or len(rows_of(out)) <= number:
                assert watching.poll() is None
                time.sleep(0.02)
        time.sleep(0.5)  # a row is written before it is counted
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "2 files: 2 SCORED" in said


@pytest.mark.parametrize("options", [["--batch-size", "0"], ["--workers", "-1"], ["--limit", "x"]])
def test_an_impossible_option_is_refused(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        batch.main([str(tmp_path), "--out", str(tmp_path / "r.csv"), *options])
    assert ended.value.code == 2


@pytest.mark.usefixtures("environment")
def test_an_interrupted_run_says_so_and_continues_later(tmp_path: Path, project_root: Path) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    film = jpeg(1)
    for number in range(900):
        (folder / f"{number}.jpg").write_bytes(film + b"%d" % number)
    words = [*(str(folder), "--out", str(out), "--no-worklist"), "--workers", "0"]
    command = [sys.executable, "-m", "training.batch", *words]
    with subprocess.Popen(command, cwd=project_root, stderr=subprocess.PIPE, text=True) as stopped:
        while not out.exists() or not rows_of(out):
            assert stopped.poll() is None
            time.sleep(0.01)
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == STOPPED
    assert "The same command continues here." in said
    assert 0 < len(rows_of(out)) < 900
    assert run(folder, "--out", out, "--no-worklist") == 0
    assert len({row["sha256"] for row in rows_of(out)}) == len(rows_of(out)) == 900
