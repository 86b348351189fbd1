"""What was refused, read from results that grow, are torn, or are put in order."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.jobs.csv_cells import as_cell
from cxr_app.jobs.unscored import Refusal, RefusalReader
from cxr_app.outcome import ScoringState

HEAD = ["source", "sha256", "state", "reason", "flagged"]
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
ROWS = st.lists(
    st.tuples(NAMES, st.sampled_from(list(ScoringState)), st.text("ab'=;\",\n\r")), max_size=12
)


def written(*rows: tuple[str, ScoringState, str]) -> bytes:
    """Rows as a results file holds them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for source, state, reason in rows:
        writer.writerow([as_cell(source), "5" * 64, state.value, as_cell(reason), ""])
    return text.getvalue().encode()


@given(ROWS, st.integers(1, 400))
def test_the_same_is_read_from_a_growing_file_as_from_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ScoringState, str]], step: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "results.csv"
    path.unlink(missing_ok=True)
    growing = RefusalReader(path)
    content = written(*rows)
    with path.open("wb") as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            file.flush()
            growing.refusals()
    newest = {source: (state, reason) for source, state, reason in rows}
    expected = {name for name, (state, _) in newest.items() if state is not ScoringState.SCORED}
    assert {refusal.source for refusal in growing.refusals()} == expected
    assert sorted(growing.refusals(), key=str) == sorted(RefusalReader(path).refusals(), key=str)
    assert all(newest[each.source] == (each.state, each.reason) for each in growing.refusals())


def test_a_repaired_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    reader = RefusalReader(path)
    assert reader.refusals() == []
    failed = ("a.dcm", ScoringState.FAILED, "The film ends in the middle.")
    path.write_bytes(written(failed, ("b.dcm", ScoringState.SCORED, "")))
    assert reader.refusals() == [
        Refusal("a.dcm", "5" * 64, ScoringState.FAILED, "The film ends in the middle.")
    ]
    (tmp_path / "new").write_bytes(written(("b.dcm", ScoringState.SCORED, "")))
    (tmp_path / "new").replace(path)
    assert reader.refusals() == []
