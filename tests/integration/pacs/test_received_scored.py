"""A received film is scored within seconds, once, as if it had been uploaded."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless

from cxr_app.model.classifier import Classifier
from cxr_app.outcome import ScoringState
from cxr_app.scoring import Scorer
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.factories import compressed_dicom_bytes, dicom_bytes, radiograph_dataset
from tests.support.peers import WAIT_SECONDS, receiving

SECONDS = 10.0
"""Far more than it takes, which is the engine's pause of a second and the time of scoring."""


def wait_until(is_true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    deadline = monotonic() + seconds
    while not is_true():
        assert monotonic() < deadline
        sleep(0.05)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def all_scored(worklist: Worklist, films: int) -> bool:
    return worklist.count(Query(state="all")) == films and not worklist.next_received()


def test_received_films_are_scored_once_even_after_a_crash(
    tmp_path: Path, checkpoint: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "data", checkpoint=checkpoint, device="cpu")
    datasets = [radiograph_dataset(), radiograph_dataset(), radiograph_dataset()]
    films = [
        dicom_bytes(datasets[0]),
        dicom_bytes(datasets[1], ImplicitVRLittleEndian),
        compressed_dicom_bytes(datasets[2], JPEG2000Lossless),
    ]
    with receiving(settings.data_dir) as receiver:
        worklist = Worklist.open(settings.worklist_url)
        assert receiver.store(films[0])[0] == 0x0000  # and no engine runs: it has crashed
        engine = ScoringEngine(settings, worklist)
        engine.start()
        wait_until(lambda: engine.status().state == "ready")
        wait_until(lambda: all_scored(worklist, 1))
        for film in films:
            assert receiver.store(film)[0] == 0x0000
        wait_until(lambda: all_scored(worklist, 3), SECONDS)
        engine.stop()
    scorer = Scorer(Classifier.load(checkpoint, "cpu"))
    expected = {str(ds.SOPInstanceUID): scorer.score(dicom_bytes(ds)) for ds in datasets}
    for entry in worklist.page(Query(state="all")):
        assert entry.header is not None
        outcome = expected[entry.header.sop_instance_uid]
        assert entry.state is ScoringState.SCORED is outcome.state
        assert outcome.prediction is not None
        assert entry.pneumonia_probability == pytest.approx(
            outcome.prediction.pneumonia_probability, abs=0.001
        )
        assert len(worklist.scores(entry.id)) == 1
    worklist.close()
