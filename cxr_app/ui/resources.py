"""Resources shared by all sessions: worklist, film store, scoring engine and other threads.

Each is created at its first use, by the server's start or by a page, and closed with the cache.
"""

from pathlib import Path

import streamlit as st

from cxr_app.audit.log import AuditLog
from cxr_app.audit.syslog import SyslogSender
from cxr_app.current_settings import current_settings
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.drift_films import DriftFilms
from cxr_app.evaluation.operating_curve import OperatingCurve
from cxr_app.evaluation.queue_simulation import Mix, Room, Wait, simulate, span_for
from cxr_app.film_store import FilmStore
from cxr_app.jobs.companion import Companion
from cxr_app.jobs.supervisor import Supervisor
from cxr_app.jobs.unscored import RefusalReader
from cxr_app.operations.drift_metrics import DriftCollector
from cxr_app.operations.opening import open_worklist
from cxr_app.retention import Retention
from cxr_app.scoring_process import ScoringProcess
from cxr_app.settings import Settings
from cxr_app.ui.sign_in_sessions import SignInSessions
from cxr_app.worklist import Worklist

SIMULATIONS = 64
"""Largest number of simulations kept, for all sessions together."""

RECEIVER_STOP_SECONDS = 30.0
"""Time for films in flight when the server stops; the receiver bounds it itself, to less."""

DRIFT_WEEKS = 104
DRIFT_SECONDS = 600
REFUSAL_LISTS = 8
"""Largest number of backlogs whose refusals stay in memory; others are read again."""


def settings() -> Settings:
    """Return the settings of this installation."""
    return current_settings()


def worklist() -> Worklist:
    """Return the worklist of the settings."""
    return _worklist(settings().worklist_url, settings().data_dir)


def masking_key() -> bytes:
    """Return the key of the short ids that replace masked names and ids."""
    return _masking_key(settings().worklist_url)


def film_store() -> FilmStore:
    """Return the folder where films are kept as received."""
    return FilmStore(settings().films_dir)


def engine() -> ScoringProcess:
    """Return the process that scores received films; start it if necessary."""
    return _engine(settings().model_dump_json())


def supervisor() -> Supervisor:
    """Return the supervisor of background jobs; start it if necessary."""
    return _supervisor(settings().model_dump_json())


def audit() -> AuditLog:
    """Return the audit of this installation."""
    chosen = settings()
    return _audit(chosen.audit_folder, chosen.audit_patient_ids)


def syslog() -> SyslogSender:
    """Return the thread that sends the audit to a syslog server; start it if there is one."""
    return _syslog(settings().model_dump_json())


def sign_in_sessions() -> SignInSessions:
    """Return the sessions of the readers who have signed in."""
    return _sign_in_sessions(settings().idle_minutes)


def retention() -> Retention:
    """Return the thread that deletes films after their retention time; start it if necessary."""
    return _retention(settings().model_dump_json())


def sender() -> Companion:
    """Return the process that sends results to archives; start it if there are any."""
    from cxr_app.pacs.destinations import destinations_of  # pynetdicom: scoring starts before it

    has_archives = bool(destinations_of(settings(), worklist()))
    return _sender(settings().model_dump_json(), is_wanted=has_archives)


def prefetcher() -> Companion:
    """Return the process that fetches earlier films ahead; start it if that is wanted."""
    return _prefetcher(settings().model_dump_json())


def receiver() -> Companion:
    """Return the process that receives films over the network; start it if there is a port."""
    return _receiver(settings().model_dump_json())


@st.cache_resource(show_spinner=False, max_entries=REFUSAL_LISTS)
def refusals(job_id: str) -> RefusalReader:
    """Return a reader of the films that a backlog could not score."""
    return RefusalReader(supervisor().results(job_id))


def operating_curve(
    checkpoint: Path, file_version: str, site_prevalence: tuple[float, float] | None = None
) -> OperatingCurve:
    """Read the scores of labelled films beside a checkpoint, for the site's share of pneumonia.

    Raises
    ------
    ScoresError
        If there is no such file, or it belongs to another version.
    """
    path = reference_scores.scores_path(checkpoint)
    modified = path.stat().st_mtime_ns if path.exists() else 0
    return _operating_curve(path, modified, file_version, site_prevalence)


@st.cache_resource(show_spinner="Simulating the reading room …", max_entries=SIMULATIONS)
def simulation(room: Room, _mix: Mix, mix_key: str) -> dict[str, dict[str, Wait]]:
    """Simulate a reading room; `mix_key` identifies the mix, which is slow to compare."""
    return simulate(room, _mix, span_for(room))


def drift_films() -> DriftFilms:
    """Return the films of the last two years in columns, at most some minutes old."""
    return _drift_films(settings().worklist_url)


def drift_metrics() -> DriftCollector:
    """Return the drift figures for Prometheus."""
    return _drift_metrics(settings().worklist_url)


def close() -> None:
    """Stop the threads and close the worklist; background jobs continue without the server."""
    _receiver.clear()
    _prefetcher.clear()
    _sender.clear()
    _retention.clear()
    _supervisor.clear()
    _engine.clear()
    _syslog.clear()
    _audit.clear()
    _masking_key.clear()
    _drift_metrics.clear()
    _worklist.clear()


@st.cache_resource(show_spinner="Computing confidence intervals …", max_entries=2)
def _operating_curve(
    path: Path, modified: int, file_version: str, site_prevalence: tuple[float, float] | None
) -> OperatingCurve:
    scores = reference_scores.read(path, file_version)
    return OperatingCurve.of(scores.at_prevalence(*site_prevalence) if site_prevalence else scores)


@st.cache_resource(show_spinner="Reading two years of films …", ttl=DRIFT_SECONDS, max_entries=1)
def _drift_films(url: str) -> DriftFilms:  # `url` is the key of the cache
    return worklist().drift.films(DRIFT_WEEKS)


@st.cache_resource(show_spinner=False)
def _drift_metrics(url: str) -> DriftCollector:  # `url` is the key of the cache
    films, model = worklist().drift.films, engine().status
    return DriftCollector(lambda: films(DRIFT_WEEKS), lambda: model().model_version)


@st.cache_resource(show_spinner=False, on_release=Worklist.close)
def _worklist(url: str, data_dir: Path) -> Worklist:
    return open_worklist(Settings(database_url=url, data_dir=data_dir))


@st.cache_resource(show_spinner=False)
def _masking_key(url: str) -> bytes:  # `url` is the key of the cache
    return worklist().unmasking.masking_key()


@st.cache_resource(show_spinner=False, on_release=ScoringProcess.stop)
def _engine(settings_json: str) -> ScoringProcess:
    started = ScoringProcess(Settings.model_validate_json(settings_json), worklist())
    started.start()
    return started


@st.cache_resource(show_spinner=False, on_release=Supervisor.stop)
def _supervisor(settings_json: str) -> Supervisor:
    started = Supervisor(Settings.model_validate_json(settings_json), worklist())
    started.start()
    return started


@st.cache_resource(show_spinner=False, on_release=Retention.stop)
def _retention(settings_json: str) -> Retention:
    started = Retention(Settings.model_validate_json(settings_json), worklist(), audit=audit())
    started.start()
    return started


@st.cache_resource(show_spinner=False, on_release=AuditLog.close)
def _audit(folder: Path, in_clear: bool) -> AuditLog:
    return AuditLog(folder, in_clear=in_clear)


@st.cache_resource(show_spinner=False, on_release=SyslogSender.stop)
def _syslog(settings_json: str) -> SyslogSender:
    started = SyslogSender(audit().store, Settings.model_validate_json(settings_json))
    started.start()
    return started


@st.cache_resource(show_spinner=False)
def _sign_in_sessions(idle_minutes: int) -> SignInSessions:
    return SignInSessions(60.0 * idle_minutes)


@st.cache_resource(show_spinner=False, on_release=Companion.stop)
def _sender(settings_json: str, *, is_wanted: bool) -> Companion:
    chosen = Settings.model_validate_json(settings_json)
    started = Companion("cxr_app.pacs.sender", chosen, is_wanted=is_wanted)
    started.start()
    return started


@st.cache_resource(show_spinner=False, on_release=Companion.stop)
def _prefetcher(settings_json: str) -> Companion:
    chosen = Settings.model_validate_json(settings_json)
    is_wanted = chosen.prefetch and chosen.film_archive is not None
    started = Companion("cxr_app.pacs.prefetcher", chosen, is_wanted=is_wanted)
    started.start()
    return started


@st.cache_resource(show_spinner=False, on_release=Companion.stop)
def _receiver(settings_json: str) -> Companion:
    chosen = Settings.model_validate_json(settings_json)
    started = Companion(
        "cxr_app.pacs.receiver",
        chosen,
        is_wanted=chosen.dicom_port is not None,
        stop_seconds=RECEIVER_STOP_SECONDS,
    )
    started.start()
    return started
