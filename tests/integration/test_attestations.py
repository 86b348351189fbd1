"""A reader's word that a picture is a frontal chest film: given, scored on, taken back."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxr_app.destination import ResultKind
from cxr_app.errors import AttestationError
from cxr_app.model.classifier import Classifier
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.objects import FilmResults
from cxr_app.pose import Pose
from cxr_app.scoring import Scorer
from cxr_app.worklist import Outgoing, OutgoingState, Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.films import jpeg
from tests.support.outcomes import refused, scored, sha256
from training.backlog.engines.contract import BacklogPlan, FoundFile, ScoredFile
from training.backlog.engines.file_scoring import score_files

NOON = datetime(2026, 10, 7, 12, tzinfo=UTC)
INSTALLATION = Installation("TRIAGE", "2.25.1")
TURNED = Pose(1, mirrored=True)
REASON = "The film was not scored: it does not look like a frontal chest film."


def rejection(film: str, rows: int = 500) -> Outcome:
    return replace(refused(film, ScoringState.REJECTED, REASON), rows=rows, columns=400)


def on_a_word(film: str, pose: Pose, probability: float = 0.9, model: str = "model-1") -> Outcome:
    return replace(scored(film, probability, model), pose=pose)


def enter(worklist: Worklist, film: str, outcome: Outcome | None = None) -> str:
    entry_id, _ = worklist.receive(sha256(film), film, Path("/kept"))
    worklist.record(outcome or rejection(film))
    return entry_id


def test_a_refused_film_is_scored_on_a_readers_word_and_says_on_whose(worklist: Worklist) -> None:
    entry_id = enter(worklist, "film")
    worklist.attestations.give(entry_id, "Ada", TURNED)
    waiting = worklist.entry(entry_id)
    assert (waiting.state, waiting.reason) == (None, "")
    assert [entry.id for entry in worklist.next_received()] == [entry_id]

    worklist.record(on_a_word("film", TURNED))
    entry = worklist.entry(entry_id)
    assert entry.attestation is not None
    assert (entry.attestation.reader, entry.attestation.pose) == ("Ada", TURNED)
    assert (entry.state, entry.flagged) == (ScoringState.SCORED, True)
    assert entry.activation_map is not None
    (listed,) = worklist.page(Query())
    assert listed.attestation == entry.attestation
    assert [score.pose for score in worklist.scores(entry_id)] == [TURNED, None]


def test_taken_back_the_film_is_screened_again_and_both_results_stay(worklist: Worklist) -> None:
    entry_id = enter(worklist, "film")
    worklist.attestations.give(entry_id, "Ada", Pose())
    worklist.record(on_a_word("film", Pose()))
    worklist.attestations.take_back(entry_id, "Bea")
    assert worklist.entry(entry_id).attestation is None
    worklist.record(rejection("film"))
    entry = worklist.entry(entry_id)
    assert (entry.state, entry.reason, entry.flagged) == (ScoringState.REJECTED, REASON, None)
    assert [score.state for score in worklist.scores(entry_id)] == [
        ScoringState.REJECTED,
        ScoringState.SCORED,
        ScoringState.REJECTED,
    ]


def test_one_model_may_score_a_film_in_every_pose_and_shows_that_of_the_word(
    worklist: Worklist,
) -> None:
    entry_id = enter(worklist, "film", scored("film", 0.1))
    for number, pose in enumerate((Pose(1), Pose(2), Pose(1))):
        worklist.attestations.give(entry_id, "Ada", pose)
        worklist.record(on_a_word("film", pose, 0.2 + pose.quarter_turns / 10))
        shown = worklist.entry(entry_id)
        assert shown.pneumonia_probability == pytest.approx(0.2 + pose.quarter_turns / 10), number
    worklist.attestations.take_back(entry_id, "Ada")
    worklist.record(scored("film", 0.1))
    assert worklist.entry(entry_id).pneumonia_probability == pytest.approx(0.1)
    assert len(worklist.scores(entry_id)) == 3


@pytest.mark.parametrize("stale", [None, Pose(2)])
def test_what_was_found_without_the_word_that_stands_is_history_alone(
    worklist: Worklist, stale: Pose | None
) -> None:
    entry_id = enter(worklist, "film")
    worklist.attestations.give(entry_id, "Ada", TURNED)
    late = scored("film", 0.01) if stale is None else on_a_word("film", stale, 0.01)
    worklist.record(late)
    assert worklist.entry(entry_id).state is None
    worklist.record(on_a_word("film", TURNED))
    worklist.enter([(rejection("film"), "film", Path("/kept"))])
    assert worklist.entry(entry_id).flagged is True
    assert worklist.attestations.standing() == {sha256("film"): TURNED}


def test_nothing_is_attested_that_cannot_be_seen(worklist: Worklist) -> None:
    unreadable = enter(worklist, "broken", refused("broken"))
    empty = enter(worklist, "empty", rejection("empty", rows=0))
    waiting, _ = worklist.receive(sha256("new"), "new", Path("/kept"))
    for entry_id in (unreadable, empty, waiting):
        with pytest.raises(AttestationError):
            worklist.attestations.give(entry_id, "Ada", Pose())
        with pytest.raises(AttestationError):
            worklist.attestations.take_back(entry_id, "Ada")
    assert worklist.attestations.standing() == {}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    path = write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
    return Scorer(Classifier.load(path, "cpu"))


def test_a_film_that_was_turned_on_the_way_has_the_score_it_had(
    scorer: Scorer, turned: Callable[[bytes, Pose], bytes]
) -> None:
    film = jpeg(1, "bacterial")
    upright = scorer.score(film, Pose())
    for back, pose in (
        (Pose(3), Pose(1)),
        (Pose(2), Pose(2)),
        (Pose(0, mirrored=True), Pose(0, mirrored=True)),
    ):
        outcome = scorer.score(turned(film, back), pose)
        assert outcome.prediction is not None
        assert upright.prediction is not None
        assert outcome.pose == pose
        found, wanted = outcome.prediction, upright.prediction
        assert found.pneumonia_probability == pytest.approx(wanted.pneumonia_probability, abs=1e-4)
        assert np.allclose(found.activation_map, wanted.activation_map, atol=1e-2)
        assert (outcome.rows, outcome.columns) == (upright.rows, upright.columns)


def test_a_backlog_scores_a_film_on_the_word_that_stands(
    worklist: Worklist, tmp_path: Path, scorer: Scorer
) -> None:
    film = dicom_bytes(radiograph_dataset(film_pixels(), BodyPartExamined="HAND"))
    path = tmp_path / "film.dcm"
    path.write_bytes(film)
    digest = hashlib.sha256(film).hexdigest()
    entry_id, _ = worklist.receive(digest, "film.dcm", path)
    worklist.record(scorer.score(film))
    assert worklist.entry(entry_id).state is ScoringState.REJECTED
    worklist.attestations.give(entry_id, "Ada", Pose())
    plan = BacklogPlan(
        checkpoint=path,
        model_version=scorer.classifier.model_version,
        input_spec=scorer.classifier.description.input_spec,
        attested=worklist.attestations.standing(),
    )
    (result,) = score_files(scorer, plan, [FoundFile(path, "film.dcm")])
    assert isinstance(result, ScoredFile)
    worklist.enter([(result.outcome, "film.dcm", path)])
    assert worklist.entry(entry_id).state is ScoringState.SCORED


def test_archives_get_the_heat_of_a_turned_film_as_its_file_has_it(tmp_path: Path) -> None:
    film = dicom_bytes(radiograph_dataset(film_pixels(320, 288)))
    cells = np.random.default_rng(0).normal(0, 1, (7, 7)).astype(np.float32)
    pictures = []
    for number, pose in enumerate((None, Pose(1, mirrored=True), Pose(2))):
        worklist = Worklist.open(f"sqlite:///{tmp_path}/{number}.sqlite")
        path = tmp_path / "film.dcm"
        path.write_bytes(film)
        digest = hashlib.sha256(film).hexdigest()
        entry_id, _ = worklist.receive(digest, "film.dcm", path)
        found = scored("any", 0.9)
        assert found.prediction is not None
        as_it_lies = replace(found.prediction, activation_map=cells)
        worklist.record(replace(found, sha256=digest, prediction=as_it_lies))
        if pose is not None:
            worklist.attestations.give(entry_id, "Ada", pose)
            turned = replace(as_it_lies, activation_map=pose.applied(cells))
            worklist.record(replace(found, sha256=digest, prediction=turned, pose=pose))
        picture = FilmResults(worklist, INSTALLATION, outgoing(entry_id)).build(ResultKind.PICTURE)
        assert picture is not None
        pictures.append(picture.pixel_array)
        worklist.close()
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def outgoing(entry_id: str) -> Outgoing:
    """Return the order to send the picture of a film."""
    return Outgoing(
        number=1,
        entry_id=entry_id,
        destination="PACS",
        kind=ResultKind.PICTURE,
        state=OutgoingState.WAITING,
        model_version="model-1",
        scored_at=NOON,
        predecessor_scored_at=None,
        tries=0,
        requested_at=NOON,
        due_at=NOON,
        sent_at=None,
    )


@pytest.fixture
def turned() -> Callable[[bytes, Pose], bytes]:
    """Return a film as a sender would have turned it, without loss."""

    def turn(data: bytes, pose: Pose) -> bytes:
        with Image.open(io.BytesIO(data)) as picture:
            pixels = pose.applied(np.asarray(picture.convert("L")))
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "PNG")
        return target.getvalue()

    return turn
