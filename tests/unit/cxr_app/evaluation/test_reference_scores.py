import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import ScoresError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.reference_scores import GROUPINGS, FilmScores
from cxr_app.model import checkpoint
from cxr_app.settings import PROJECT
from tests.support.checkpoints import write_tiny
from tests.support.scores import scored_films
from training import embed_screening
from training.data.anonymous import anonymous


def scores(seed: int = 0, *, with_causes: bool = True, version: str = "m-1") -> FilmScores:
    films = scored_films(20, 10, 10, seed=seed, with_causes=with_causes)
    return anonymous(
        films.probabilities,
        films.films,
        model_version=version,
        data=Path("/archive/Vexley Maud"),
        partition="validation",
        groups={"patient_sex": tuple("FM"[n % 2] if n % 3 else "" for n in range(40))},
    )


@given(seed=st.integers(0, 1000), with_causes=st.booleans())
def test_what_is_written_is_read_but_for_the_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, with_causes: bool
) -> None:
    path = tmp_path_factory.mktemp("scores") / "m.scores.json"
    made = scores(seed, with_causes=with_causes)
    reference_scores.write(path, made)

    found = reference_scores.read(path, "m-1")

    order = np.argsort(made.pneumonia)
    for name in ("pneumonia", "bacterial", "viral"):
        assert getattr(found, name) == pytest.approx(
            getattr(made, name)[order], abs=1e-6, nan_ok=True
        )
    assert (found.truth == made.truth[order]).all()
    assert found.causes == tuple(made.causes[place] for place in order)
    same = found.patients[:, None] == found.patients
    patients = made.patients[order]
    assert (same == (patients[:, None] == patients)).all()
    sexes = made.groups["patient_sex"]
    assert found.groups["patient_sex"] == tuple(sexes[place] for place in order)


def test_the_file_names_neither_films_nor_patients(tmp_path: Path) -> None:
    path = tmp_path / "m.scores.json"
    reference_scores.write(path, scores())

    document = json.loads(path.read_text())
    assert document.keys() == {"format_version", "model_version", "data", "partition", "films"}
    keys = {key for film in document["films"] for key in film}
    known = {"patient", "target", "cause", "patient_sex"}
    assert keys == known | {f"{kind}_probability" for kind in ("pneumonia", "bacterial", "viral")}
    assert ".jpeg" not in path.read_text()
    assert "/archive" not in path.read_text()
    probabilities = [film["pneumonia_probability"] for film in document["films"]]
    assert probabilities == sorted(probabilities)


def test_figures_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.scores.json"
    reference_scores.write(path, scores(version="m-1"))
    with pytest.raises(ScoresError, match=r"made by m-1.*checkpoint is m-2.*training\.evaluate"):
        reference_scores.read(path, "m-2")


@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "[]",
        "{}",
        '{"format_version": 2}',
        '{"format_version": 1, "films": []}',
        '{"format_version": 1, "model_version": "m-1", "films": [{"target": "HEALTHY"}]}',
    ],
)
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "m.scores.json"
    path.write_text(spoilt)
    with pytest.raises(ScoresError, match=r"cannot be used.*--scores"):
        reference_scores.read(path, "m-1")


WRONG: dict[str, list[object]] = {
    "patient": ["7", -1, 1.5, None, True],
    "target": ["HEALTHY", "", None, 1],
    "cause": ["fungal", None, 3],
    "pneumonia_probability": [1.1, -0.1, None, "0.5", True, math.nan, math.inf],
    "bacterial_probability": [1.1, "0.5", False, math.nan],
    "viral_probability": [-0.1, [], math.inf],
    "patient_sex": [0, None],
}


@pytest.mark.parametrize(("name", "value"), [(k, v) for k, each in WRONG.items() for v in each])
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "m.scores.json"
    reference_scores.write(path, scores())
    document = json.loads(path.read_text())
    document["films"][5][name] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ScoresError, match=rf"films\.5\.{name}.*--scores"):
        reference_scores.read(path, "m-1")


@pytest.mark.parametrize("name", ["patient", "target", "cause", "pneumonia_probability"])
def test_a_missing_value_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.scores.json"
    reference_scores.write(path, scores())
    document = json.loads(path.read_text())
    del document["films"][0][name]
    path.write_text(json.dumps(document))
    with pytest.raises(ScoresError, match=rf"films\.0\.{name}.*required"):
        reference_scores.read(path, "m-1")


def test_columns_of_different_lengths_and_impossible_probabilities_are_no_scores() -> None:
    with pytest.raises(ValueError, match="one value a film"):
        replace(scores(), causes=("viral",))
    with pytest.raises(ValueError, match="must lie in"):
        replace(scores(), pneumonia=np.full(40, 1.5))


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ScoresError, match=r"no readable m\.scores\.json.*--scores"):
        reference_scores.read(tmp_path / "m.scores.json", "m-1")


def test_the_shipped_file_belongs_to_the_shipped_checkpoint() -> None:
    path = PROJECT / "weights" / "pneumonia.safetensors"
    shipped = reference_scores.read(
        reference_scores.scores_path(path), checkpoint.load(path).model_version
    )

    assert shipped.partition == "validation"
    assert (len(shipped.truth), int(shipped.truth.sum())) == (524, 389)
    assert len(np.unique(shipped.patients)) == 366
    assert not any("".join(shipped.groups[by]) for by in GROUPINGS)  # these films have no header


def test_scores_go_along_when_the_screening_network_is_put_in(tmp_path: Path) -> None:
    tiny = write_tiny(tmp_path / "tiny.safetensors")
    before = checkpoint.load(tiny).model_version
    reference_scores.write(reference_scores.scores_path(tiny), scores(version=before))

    assert embed_screening.main([str(tiny)]) == 0

    after = checkpoint.load(tiny).model_version
    assert after != before
    kept = reference_scores.read(reference_scores.scores_path(tiny), after)
    assert len(kept.truth) == 40
