"""The results file: continued, cleaned up, locked for one run, safe in a spreadsheet."""

import csv
import pickle
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import SettingsError
from cxr_app.jobs.csv_cells import MAX_CELL_LENGTH, text_of
from cxr_app.jobs.unscored import RefusalReader
from cxr_app.model.screening import MIRRORED
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from tests.support.desk import evidence
from tests.support.lungs import two_lungs
from tests.support.outcomes import scored
from training.backlog.results import COLUMNS, FIRST_COLUMNS, Results, as_row

MODEL = "model-1"


def failed(number: int, sha256: str | None = None) -> Outcome:
    digest = f"{number:064x}" if sha256 is None else sha256
    return Outcome(digest, ScoringState.FAILED, Priority.MEDIUM, reason='It says "no",\nand why.')


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


@contextmanager
def opened(path: Path, **options: bool) -> Iterator[Results]:
    with closing(Results(path, MODEL, **options)) as results:
        yield results


def write(path: Path, *numbers: int) -> None:
    with opened(path) as results:
        results.write((f"film {number}\n.jpg", failed(number)) for number in numbers)


def test_a_file_cut_anywhere_is_continued_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, 1, 2, 3)
    whole = path.read_bytes()
    for cut in range(0, len(whole), 5):
        path.write_bytes(whole[:cut])
        write(path, 1, 2, 3)
        assert path.read_bytes() == whole


def test_repeated_rows_count_once_and_garbage_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, 1, 2)
    whole = path.read_bytes()
    rows = whole.split(b"\r\n", 1)[1]
    path.write_bytes(whole + rows + b"a,b,c\r\n" + bytes(40) + b"\r\n")
    path.chmod(0o640)
    with opened(path) as results:
        assert results.earlier == {"FAILED": 2}
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_an_unread_film_is_due_again_and_a_failed_one_on_request(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with opened(path) as results:
        results.write([("gone.jpg", failed(0, sha256="")), ("broken.jpg", failed(1))])
    with opened(path) as results:
        assert not results.contents("gone.jpg")
        assert results.contents("broken.jpg") == {failed(1).sha256}
    with opened(path, retry_failed=True) as results:
        assert not results.contents("broken.jpg")
    assert rows_of(path) == []


def test_a_film_that_arrives_again_in_one_run_has_one_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with opened(path) as results:
        for number in (1, 1, 2, 1):  # a watched folder whose film was touched, and replaced
            results.write([("film.jpg", failed(number))])
        assert results.contents("film.jpg") == {failed(1).sha256, failed(2).sha256}
    assert [row["sha256"] for row in rows_of(path)] == [failed(1).sha256, failed(2).sha256]


def test_a_film_that_comes_twice_at_a_time_has_one_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    unread = failed(0, sha256="")
    with opened(path) as results:
        results.write([("1.2", failed(1)), ("1.3", unread), ("1.2", failed(1)), ("1.3", unread)])
    assert [row["source"] for row in rows_of(path)] == ["1.2", "1.3", "1.3"]


def test_another_content_under_one_name_gets_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    for number in (1, 1, 2):
        with opened(path) as results:
            results.write([("film.jpg", failed(number))])
    assert [row["sha256"] for row in rows_of(path)] == [failed(1).sha256, failed(2).sha256]


@given(st.lists(st.binary(min_size=1, max_size=12), unique=True, max_size=5))
def test_names_of_any_bytes_survive(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("names") / "results.csv"
    sources = [name.decode("utf-8", "surrogateescape") for name in names]
    with opened(path) as results:
        results.write((source, failed(n)) for n, source in enumerate(sources))
    assert [text_of(row["source"]) for row in rows_of(path)] == sources
    with opened(path) as results:
        assert all(results.contents(source) for source in sources)


def test_an_endless_header_is_cut_and_the_file_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    film = replace(failed(1), header=Header(accession_number="=1" * 200_000))
    for _ in range(2):
        with opened(path) as results:
            results.write([("film.dcm", film)])
    assert [len(row["accession_number"]) for row in rows_of(path)] == [MAX_CELL_LENGTH]


def test_a_file_with_fewer_columns_is_continued_without_losing_a_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, 1, 2)
    shorter = [list(row.values())[: len(FIRST_COLUMNS)] for row in rows_of(path)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([FIRST_COLUMNS, *shorter])
    path.write_bytes(path.read_bytes() + b"film 3,cut off")
    follower = RefusalReader(path)
    assert len(follower.refusals()) == 2
    write(path, 1, 2, 3)
    assert list(rows_of(path)[0]) == list(COLUMNS)
    assert [list(row.values())[: len(FIRST_COLUMNS)] for row in rows_of(path)][:2] == shorter
    assert [row["sha256"] for row in rows_of(path)] == [failed(n).sha256 for n in (1, 2, 3)]
    assert {row["zones"] for row in rows_of(path)} == {""}
    assert len(follower.refusals()) == 3


def test_a_file_with_fewer_columns_of_another_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    row = ["film.jpg", "0" * 64, "SCORED", *[""] * 6, "model-0", "", "", ""]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([FIRST_COLUMNS, row])
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="holds results of model-0"):
        Results(path, MODEL)
    assert path.read_bytes() == before


def extent_cells(outcome: Outcome) -> list[str]:
    return as_row("film.jpg", outcome)[-3:]


def test_extent_and_zones_follow_the_columns_of_before() -> None:
    outcome = scored(1)
    assert outcome.prediction is not None
    assert extent_cells(outcome) == ["", "", ""]
    heat = evidence((5, 1), strength=3.0)
    found = replace(outcome.prediction, activation_map=heat, lungs=two_lungs())
    outcome = replace(outcome, prediction=found)
    score, main_zone, zones = extent_cells(outcome)
    assert (score, main_zone) == ("1", "right lower")
    assert zones.startswith("right upper 0.00; right middle 0.00; right lower 0.")
    assert zones.endswith("; left upper 0.00; left middle 0.00; left lower 0.00")
    mirrored = replace(outcome, remarks=(MIRRORED,))
    assert extent_cells(mirrored) == ["1", "lower", ""]
    lost = replace(outcome, prediction=replace(found, lungs=two_lungs(found=False)))
    assert extent_cells(lost) == ["", "", ""]


def test_lungs_pass_from_one_process_to_another() -> None:
    outcome = scored(1)
    assert outcome.prediction is not None
    outcome = replace(outcome, prediction=replace(outcome.prediction, lungs=two_lungs()))
    arrived = pickle.loads(pickle.dumps(outcome))  # noqa: S301
    assert as_row("film.jpg", arrived) == as_row("film.jpg", outcome)
    np.testing.assert_array_equal(arrived.prediction.lungs.mask, two_lungs().mask)


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, 1)
    # The first run replaces the old file by a new one.
    with (
        opened(path, retry_failed=True),
        pytest.raises(SettingsError, match="being written by another run"),
    ):
        Results(path, MODEL)
    Results(path, MODEL).close()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"notes", b"something,else\n1,2\n", b"source,sha256\n", bytes(9)),
        *(b"x" * 200_000 + b"\n", b"mac\rlines\n1,2\n", "source,sha256\r\n".encode("utf-16")),
    ],
)
def test_another_kind_of_file_is_left_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(content)
    if not content:
        Results(path, MODEL).close()
        return
    with pytest.raises(SettingsError, match="not a results file"):
        Results(path, MODEL)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "folder" / "results.csv"):
        with pytest.raises(SettingsError, match="cannot be written: "):
            Results(path, MODEL)


def test_a_full_disk_is_reported_and_rows_are_complete(tmp_path: Path, project_root: Path) -> None:
    path = tmp_path / "results.csv"
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.unit.training.backlog.test_results import write\n"
        "from cxr_app.errors import SettingsError\n"
        "try:\n    [write(Path(sys.argv[1]), n) for n in range(100)]\n"
        "except SettingsError as error:\n    print(error)"
    )

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=project_root,
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written: File too large" in done.stdout
    assert path.read_bytes().endswith(b"\r\n")
    assert [row["source"] for row in rows_of(path)] == [
        f"film {number}\n.jpg" for number in range(len(rows_of(path)))
    ]
    write(path, *range(100))
    assert len(rows_of(path)) == 100
    assert set(rows_of(path)[0]) == set(COLUMNS)
