"""The scoring thread: it keeps one network in memory and scores received films."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from cxr_app import log_privacy
from cxr_app.errors import CxrError, ShortageError, WorklistError
from cxr_app.examined import refusal, unreadable
from cxr_app.film_store import read_film
from cxr_app.model.classifier_choice import load_classifier
from cxr_app.outcome import Outcome
from cxr_app.prediction import HeatScale, OperatingPoint
from cxr_app.promotion import checkpoint_in_use
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from cxr_app.worklist import Entry, Worklist

logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""Pause of an idle engine before it checks for films that another process has received."""
SHORTAGE_SECONDS = 600.0
"""How long a film stays waiting while this computer is short of memory; then it fails."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """State of the engine, for the page and the health route.

    Parameters
    ----------
    state
        ``loading`` until the network is in memory; ``failed`` where it cannot be used.
    message
        What is wrong and what to do; empty if nothing is. A ready model has one if
        another was put to use and cannot be loaded.
    checkpoint
        The file that the network came from.
    file_version
        Version of that file, which its figures and its model card name, whatever the site's share
        of pneumonia.
    site_prevalence
        As `Checkpoint` has it.
    """

    state: Literal["loading", "ready", "failed"]
    message: str = ""
    model_version: str = ""
    device_name: str = ""
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)
    heat_scale: HeatScale | None = None
    checkpoint: Path | None = None
    file_version: str = ""
    site_prevalence: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class FilmInHand:
    """A film that the engine begins to score, or has done with.

    Parameters
    ----------
    seconds
        From reading the film to its score; None at the begin.
    """

    entry_id: str
    seconds: float | None = None


Event = EngineStatus | FilmInHand


def _tell_nobody(_: Event) -> None:
    """Say nothing."""


class ScoringEngine:
    """The server's one network, which scores received films in its own thread.

    The worklist is the queue: what a page has received is scored even if its browser or the server
    goes away in between. Two engines on one worklist do no harm, since a score is recorded once.
    When a person puts another model to use, every engine loads it between two films, and its
    thresholds with it.

    Parameters
    ----------
    settings
        Path of the checkpoint and the device to use.
    worklist
        Worklist whose films are scored.
    tell
        Called with each new status, and with each film when it is begun and when it is done.
    wake
        Set by whoever has received films; None if only `wake` is called.
    """

    def __init__(
        self,
        settings: Settings,
        worklist: Worklist,
        tell: Callable[[Event], None] = _tell_nobody,
        wake: threading.Event | None = None,
    ) -> None:
        self._settings = settings
        self._worklist = worklist
        self._tell = tell
        self._status = EngineStatus("loading")
        self._wanted: Path | None = None
        self._short_since: dict[str, float] = {}
        self._wake = wake or threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scoring-engine", daemon=True)

    def start(self) -> None:
        """Start to load the network and then to score."""
        self._thread.start()

    def wake(self) -> None:
        """Wake the engine because films were received."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the film in hand and end."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> EngineStatus:
        """Return the state of the engine."""
        return self._status

    def _set(self, status: EngineStatus) -> None:
        self._status = status
        self._tell(status)

    def _run(self) -> None:
        """Load, then score until stopped."""
        scorer: Scorer | None = None
        while not self._stop.is_set():
            self._wake.clear()
            scorer = self._follow(scorer)
            if scorer is None or not self._score_received(scorer):
                self._wake.wait(IDLE_SECONDS)

    def _follow(self, scorer: Scorer | None) -> Scorer | None:
        """Load the model in use if it has changed."""
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
            self._set(self._without(scorer, str(error)))
        except Exception as error:  # noqa: BLE001 - a GPU without room, for one
            _log_fault(f"The network {wanted.name}", error)
            self._set(self._without(scorer, "The program failed on its file; see the log."))
        return scorer

    def _without(self, scorer: Scorer | None, reason: str) -> EngineStatus:
        """Return the state if a model cannot be used; the previous one stays, if any."""
        if scorer is None:
            return EngineStatus("failed", reason)
        message = f"Another model was put to use, and this one stays: {reason}"
        return replace(self._status, message=message)

    def _load(self, path: Path) -> Scorer:
        """Load a network into memory."""
        settings = self._settings
        classifier = load_classifier(path, settings.device, settings.runtime, settings.prevalence)
        self._set(
            EngineStatus(
                "ready",
                model_version=classifier.model_version,
                file_version=classifier.file_version,
                site_prevalence=classifier.site_prevalence,
                device_name=classifier.device_name,
                operating_points=classifier.operating_points,
                heat_scale=classifier.heat_scale,
                checkpoint=path,
            )
        )
        return Scorer(classifier, settings.other_ages, in_subprocess=True)

    def _score_received(self, scorer: Scorer) -> bool:
        """Score waiting films, oldest first; return False if none could be scored."""
        is_any_scored = False
        try:
            for entry in self._worklist.next_received():
                if self._stop.is_set():
                    break
                self._tell(FilmInHand(entry.id))
                begun = time.monotonic()
                outcome = self._score(scorer, entry)
                self._tell(FilmInHand(entry.id, time.monotonic() - begun))
                if outcome is not None:
                    self._worklist.record(outcome)
                    self._short_since.pop(entry.id, None)
                    is_any_scored = True
        except WorklistError as error:
            logger.warning("Scoring pauses: %s", error)
            return False
        return is_any_scored

    def _score(self, scorer: Scorer, entry: Entry) -> Outcome | None:
        """Score one entry; nothing that a file does may end the thread.

        Returns
        -------
        Outcome or None
            None if this computer is short of memory and the film stays waiting.
        """
        pose = entry.attestation.pose if entry.attestation else None
        try:
            return scorer.score(read_film(entry.path, entry.sha256), pose)
        except (ShortageError, MemoryError):
            logger.warning("Film %s: this computer is short of memory or other resources", entry.id)
            if self._may_wait(entry):
                return None
            reason = (
                "The server ran short of memory or other resources whenever it read this film, "
                "which itself may be sound. A person must look at it; please inform whoever runs "
                "this server."
            )
        except CxrError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is
            _log_fault(f"Entry {entry.id}", error)
            reason = (
                "The program itself failed on this file. A person must look at it; "
                "please report the time of day to whoever runs this server."
            )
        return refusal(unreadable(reason, entry.sha256, pose))

    def _may_wait(self, entry: Entry) -> bool:
        """Check whether a film may wait longer for memory."""
        now = time.monotonic()
        return now - self._short_since.setdefault(entry.id, now) < SHORTAGE_SECONDS


def _log_fault(what: str, error: Exception) -> None:
    """Log a fault of the program for the administrator."""
    logger.error("%s met a fault of the program:\n%s", what, log_privacy.fault_report(error))
