"""The one path of a film: bytes, film, screened, prediction, priority, worklist.

The page, the batch command and whatever comes later score through here. Importing this file does
not import torch, so that the worklist can be shown while the network is still being loaded.
"""

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cxr_app import priority
from cxr_app.errors import CxrError, FilmError, UnsupportedImageError, WorklistError, fault_trace
from cxr_app.film_store import read_film
from cxr_app.imaging import intake
from cxr_app.model import screening
from cxr_app.model.preprocessing import InputSpec, NetworkInput, to_input
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.prediction import HeatScale, OperatingPoint, Prediction
from cxr_app.promotion import checkpoint_in_use
from cxr_app.radiograph import Header, Radiograph
from cxr_app.settings import OtherAges, Settings
from cxr_app.worklist import Entry, Worklist

if TYPE_CHECKING:
    from cxr_app.model.classifier import Classifier

logger = logging.getLogger(__name__)

UNRELIABLE = "How far its probability can be relied on is unknown."
IDLE_SECONDS = 5.0
"""How often an idle engine looks for films that another process has received."""


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What is known of a film without its pixels."""

    header: Header | None = None
    file_format: str = ""
    rows: int = 0
    columns: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """A file after everything that needs no network.

    Parameters
    ----------
    sha256
        Of the file.
    facts
        What was read; empty where nothing could be.
    refused
        REJECTED or FAILED with the reason, or None for a film that the network may speak on.
    network_input
        What the network will see; None exactly when refused.
    """

    sha256: str
    facts: FilmFacts
    refused: tuple[ScoringState, str] | None
    network_input: NetworkInput | None


def examine(data: bytes, spec: InputSpec, sha256: str = "", *, apart: bool = False) -> Examined:
    """Read, screen and prepare a file: the part that needs no network.

    Parameters
    ----------
    data
        The file as received.
    spec
        What the network wants.
    sha256
        Of `data`, where it is known already; it takes as long as decoding a small film.
    apart
        As `intake.read_radiograph` has it.
    """
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    try:
        radiograph = intake.read_radiograph(data, sha256, apart=apart)
    except UnsupportedImageError as error:
        return Examined(sha256, FilmFacts(), (ScoringState.REJECTED, str(error)), None)
    except FilmError as error:
        return Examined(sha256, FilmFacts(), (ScoringState.FAILED, str(error)), None)
    reason = screening.screen(radiograph)
    if reason is not None:
        return Examined(sha256, _facts(radiograph), (ScoringState.REJECTED, reason), None)
    return Examined(sha256, _facts(radiograph), None, to_input(radiograph.image, spec))


def unreadable(reason: str) -> Examined:
    """Stand for a file that could not even be opened; it has no content and so no SHA-256."""
    return Examined("", FilmFacts(), (ScoringState.FAILED, reason), None)


def refusal(film: Examined) -> Outcome:
    """Say what became of a file that was refused before the network saw it."""
    if film.refused is None:
        raise ValueError("a film that was not refused has no refusal")
    return _refusal(film, *film.refused)


class Scorer:
    """Scores films with one classifier; safe for any number of threads.

    Parameters
    ----------
    classifier
        The network in use.
    other_ages
        Whether patients of other ages than the model learned from are scored with a ``remark``, or
        a ``reject``.
    apart
        As `intake.read_radiograph` has it.
    """

    def __init__(
        self,
        classifier: "Classifier",
        other_ages: OtherAges = "remark",
        *,
        apart: bool = False,
    ) -> None:
        self.classifier = classifier
        self._apart = apart
        self._rejects_other_ages = other_ages == "reject"

    def score(self, data: bytes) -> Outcome:
        """Score one file; whatever it holds, the result says what became of it."""
        return self.score_all([self.examine(data)])[0]

    def examine(self, data: bytes) -> Examined:
        """Read, screen and prepare a file for this scorer's network."""
        return examine(data, self.classifier.description.input_spec, apart=self._apart)

    def score_all(self, examined: Sequence[Examined]) -> list[Outcome]:
        """Score examined files in one forward pass, in their order."""
        kinds = iter(self.classifier.kinds(_inputs(examined)))
        films = [film if film.refused else self._screened(film, next(kinds)) for film in examined]
        predictions = iter(self.classifier.predict(_inputs(films)))
        return [
            _refusal(film, *film.refused) if film.refused else self._scored(film, next(predictions))
            for film in films
        ]

    def _screened(self, film: Examined, kind: screening.ViewClass) -> Examined:
        """Refuse a film for what it shows or whom, or put down what its reader should know."""
        outside = screening.screen_age(film.facts.header)
        reason = screening.screen_kind(kind)
        if reason is None and outside and self._rejects_other_ages:
            reason = f"The film was not scored: {outside}"
        if reason is not None:
            return replace(film, refused=(ScoringState.REJECTED, reason), network_input=None)
        told = filter(None, (outside and f"{outside} {UNRELIABLE}", screening.remark_on(kind)))
        facts = replace(film.facts, remarks=(*told, *film.facts.remarks))
        return replace(film, facts=facts)

    def _scored(self, film: Examined, prediction: Prediction) -> Outcome:
        """Put a prediction beside its operating point and its place in the list."""
        points = self.classifier.operating_points
        return Outcome(
            sha256=film.sha256,
            state=ScoringState.SCORED,
            priority=priority.assign(prediction, points),
            prediction=prediction,
            operating_point=points["balanced"],
            header=film.facts.header,
            file_format=film.facts.file_format,
            rows=film.facts.rows,
            columns=film.facts.columns,
            remarks=film.facts.remarks,
        )


def _inputs(films: Sequence[Examined]) -> list[NetworkInput]:
    return [film.network_input for film in films if film.network_input is not None]


def _refusal(film: Examined, state: ScoringState, reason: str) -> Outcome:
    """Say why a file has no probability."""
    return Outcome(
        sha256=film.sha256,
        state=state,
        priority=priority.assign(None, {}),
        reason=reason,
        header=film.facts.header,
        file_format=film.facts.file_format,
        rows=film.facts.rows,
        columns=film.facts.columns,
        remarks=film.facts.remarks,
    )


def _facts(radiograph: Radiograph) -> FilmFacts:
    """Keep what the worklist shows, and let the pixels go."""
    return FilmFacts(
        header=radiograph.header,
        file_format=radiograph.file_format,
        rows=radiograph.rows,
        columns=radiograph.columns,
        remarks=radiograph.remarks,
    )


def recall(
    worklist: Worklist, sha256: str, model_version: str, points: Mapping[str, OperatingPoint]
) -> Outcome | None:
    """Give again what a model has said of a film, from the worklist; None where it has not.

    Parameters
    ----------
    points
        The operating points of that model.
    """
    entry = worklist.entry_by_sha256(sha256)
    scores = worklist.scores(entry.id) if entry else []
    score = next((each for each in scores if each.model_version == model_version), None)
    if entry is None or score is None or score.activation_map is None:
        return None
    return Outcome(
        sha256=sha256,
        state=score.state,
        priority=score.priority,
        prediction=Prediction(
            bacterial_probability=score.bacterial_probability,
            viral_probability=score.viral_probability,
            activation_map=score.activation_map,
            model_version=model_version,
            undivided_probability=(
                score.pneumonia_probability if score.bacterial_probability is None else None
            ),
            heat_scale=score.heat_scale,
        ),
        operating_point=points[score.operating_point_name],
        header=entry.header,
        file_format=entry.file_format,
        rows=entry.rows,
        columns=entry.columns,
        remarks=entry.remarks,
    )


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine is doing, for the page and the health route.

    Parameters
    ----------
    state
        ``loading`` until the network is in memory; ``failed`` where it cannot be used.
    message
        What is wrong and what to do; empty while nothing is. A model that is ready has one where
        another was put to use and cannot be.
    checkpoint
        The file that the network came from.
    """

    state: Literal["loading", "ready", "failed"]
    message: str = ""
    model_version: str = ""
    device_name: str = ""
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)
    heat_scale: HeatScale | None = None
    checkpoint: Path | None = None


class ScoringEngine:
    """The server's one network, scoring in a thread of its own whatever the worklist has received.

    The worklist is the queue: what a page has received is scored even if its browser or the server
    goes away in between. Two engines on one worklist do no harm, since a score is recorded once.
    When a person puts another model to use, every engine loads it between two films, and its
    thresholds with it.

    Parameters
    ----------
    settings
        Where the checkpoint is and which device to use.
    worklist
        Whose films to score.
    """

    def __init__(self, settings: Settings, worklist: Worklist) -> None:
        self._settings = settings
        self._worklist = worklist
        self._status = EngineStatus("loading")
        self._wanted: Path | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scoring-engine", daemon=True)

    def start(self) -> None:
        """Begin to load the network, and then to score."""
        self._thread.start()

    def wake(self) -> None:
        """Say that films were received, so that they are scored at once."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the film in hand and end."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> EngineStatus:
        """Say how the engine is doing."""
        return self._status

    def _run(self) -> None:
        """Load, then score until told to stop."""
        scorer: Scorer | None = None
        while not self._stop.is_set():
            self._wake.clear()
            scorer = self._follow(scorer)
            if scorer is None or not self._score_received(scorer):
                self._wake.wait(IDLE_SECONDS)

    def _follow(self, scorer: Scorer | None) -> Scorer | None:
        """Load the model that is to be used now, where it is another than before."""
        try:
            wanted = checkpoint_in_use(self._settings, self._worklist)
        except WorklistError as error:
            logger.warning("Which model is in use is not known for a moment: %s", error)
            return scorer
        if wanted == self._wanted:
            return scorer
        self._wanted = wanted
        try:
            return self._load(wanted)
        except CxrError as error:
            logger.warning("The network cannot be used: %s", error)
            self._status = self._without(scorer, str(error))
        except Exception as error:  # noqa: BLE001 - a GPU without room, for one
            _log_fault(f"The network {wanted.name}", error)
            self._status = self._without(scorer, "The program failed on its file; see the log.")
        return scorer

    def _without(self, scorer: Scorer | None, reason: str) -> EngineStatus:
        """Say that a model cannot be used; the one before stays where there is one."""
        if scorer is None:
            return EngineStatus("failed", reason)
        told = f"Another model was put to use, and this one stays: {reason}"
        return replace(self._status, message=told)

    def _load(self, path: Path) -> Scorer:
        """Bring a network into memory."""
        # Here and not above: importing torch takes seconds, and the pages wait for nothing.
        from cxr_app.model.classifier import Classifier

        classifier = Classifier.load(path, self._settings.device, self._settings.runtime)
        self._status = EngineStatus(
            "ready",
            model_version=classifier.model_version,
            device_name=classifier.device_name,
            operating_points=classifier.operating_points,
            heat_scale=classifier.heat_scale,
            checkpoint=path,
        )
        return Scorer(classifier, self._settings.other_ages, apart=True)

    def _score_received(self, scorer: Scorer) -> bool:
        """Score what is waiting, oldest first; False where nothing is, or nothing can be done."""
        try:
            waiting = self._worklist.next_received()
            for entry in waiting:
                if self._stop.is_set():
                    break
                self._worklist.record(self._score(scorer, entry))
        except WorklistError as error:
            logger.warning("Scoring pauses: %s", error)
            return False
        return bool(waiting)

    def _score(self, scorer: Scorer, entry: Entry) -> Outcome:
        """Score one entry; nothing that a file does may end the thread."""
        try:
            return scorer.score(read_film(entry.path, entry.sha256))
        except CxrError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is
            _log_fault(f"Entry {entry.id}", error)
            reason = (
                "The program itself failed on this file. A person must look at it; "
                "please report the time of day to whoever runs this server."
            )
        return _refusal(
            Examined(entry.sha256, FilmFacts(), None, None), ScoringState.FAILED, reason
        )


def _log_fault(what: str, error: Exception) -> None:
    """Write a fault of the program down, for whoever runs this server."""
    logger.error("%s met a fault of the program:\n%s", what, fault_trace(error))
