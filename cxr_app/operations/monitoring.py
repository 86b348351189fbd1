"""The state of an installation for Prometheus: numbers, none of which names a patient."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cxr_app.audit.store import AuditStore
from cxr_app.errors import WorklistError
from cxr_app.jobs.kinds import BACKLOG, RETRAINING
from cxr_app.measured import REGISTRY
from cxr_app.scoring_engine import EngineStatus
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
JOBS_COUNTED = 1_000
TIERS = ("high", "medium", "low")


class InstallationCollector(Collector):
    """Reads the worklist, the engine and the disk each time it is asked.

    Parameters
    ----------
    engine
        Returns the state of the engine.
    audit
        The audit, and how many of its events wait for the syslog server.
    """

    def __init__(
        self,
        settings: Settings,
        worklist: Worklist,
        engine: Callable[[], EngineStatus],
        audit: tuple[AuditStore, Callable[[], int]],
    ) -> None:
        self._settings = settings
        self._worklist = worklist
        self._engine = engine
        self._audit = audit

    def collect(self) -> Iterable[Metric]:
        """Yield every figure.

        Raises
        ------
        CxrError
            If worklist or audit cannot be read.
        """
        yield from self._films()
        yield from self._outgoing()
        yield from self._jobs()
        yield from self._model()
        store, waiting = self._audit
        yield _gauge("cxr_audit_events", "Events of the audit.", store.head()[0])
        yield _gauge("cxr_audit_waiting", "Events that wait for the syslog server.", waiting())
        free = min(map(_free_bytes, (self._settings.data_dir, self._settings.audit_folder)))
        yield _gauge("cxr_disk_free_bytes", "Free bytes on the fuller disk of both folders.", free)

    def _films(self) -> Iterable[Metric]:
        states: Counter[str] = Counter()
        unread: Counter[tuple[str, str]] = Counter()
        for is_read, tier, state, films in self._worklist.film_counts():
            states[state.lower() or "unscored"] += films
            if not is_read:
                judged = state == "SCORED"
                name = TIERS[tier % 3] if judged else "not_judged"
                unread[name, str(judged and tier < 3).lower()] += films
        yield _gauge("cxr_films_received", "Films in the worklist.", sum(states.values()))
        by_state = GaugeMetricFamily("cxr_films", "Films by state.", labels=["state"])
        for state in ("scored", "rejected", "failed", "unscored"):
            by_state.add_metric([state], states[state])
        yield by_state
        waiting = GaugeMetricFamily(
            "cxr_films_unread", "Unread films by tier and flag.", labels=["tier", "flagged"]
        )
        for (tier_name, flagged), films in sorted(unread.items()):
            waiting.add_metric([tier_name, flagged], films)
        yield waiting
        longest = self._worklist.counts().longest_wait
        seconds = longest.total_seconds() if longest else 0
        yield _gauge("cxr_oldest_wait_seconds", "Longest wait of an unread chest film.", seconds)
        cap = self._settings.waiting_cap_hours * 3600
        yield _gauge("cxr_waiting_cap_seconds", "Wait after which a film comes first.", cap)

    def _outgoing(self) -> Iterable[Metric]:
        outgoing = GaugeMetricFamily(
            "cxr_results_outgoing",
            "Results by archive that they are sent to; withdrawn ones nobody wants sent.",
            labels=["archive", "state"],
        )
        destinations = *self._settings.destinations, *self._worklist.destinations.all()
        named = {each.name for each in destinations}
        for archive in self._worklist.outbox.archives():
            if archive.name not in named:
                continue
            states = {state.value.lower(): count for state, count in archive.counts.items()}
            if archive.withdrawn:
                states["given_up"] -= archive.withdrawn
                states["withdrawn"] = archive.withdrawn
            for state, count in states.items():
                outgoing.add_metric([archive.name, state], count)
        yield outgoing

    def _jobs(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("cxr_jobs", "Jobs by kind and state.", labels=["kind", "state"])
        for kind in (BACKLOG, RETRAINING):
            states = Counter(
                job.state.value for job in self._worklist.jobs.newest(kind, JOBS_COUNTED)
            )
            for state, count in states.items():
                jobs.add_metric([kind, state.lower()], count)
        yield jobs

    def _model(self) -> Iterable[Metric]:
        status = self._engine()
        is_ready = status.state == "ready"
        yield _gauge("cxr_engine_ready", "1 if the model is loaded.", is_ready)
        info = GaugeMetricFamily("cxr_model_info", "The model.", labels=["version", "device"])
        if is_ready:
            info.add_metric([status.model_version, status.device_name], 1)
        yield info


def exposition(*collectors: Collector) -> bytes:
    """Return every figure in the text format of Prometheus.

    Raises
    ------
    CxrError
        As `InstallationCollector.collect`.
    """
    registry = CollectorRegistry(auto_describe=False)
    for each in collectors:
        registry.register(each)
    return generate_latest(registry) + generate_latest(REGISTRY)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise WorklistError(
            f"The folder {folder} cannot be read: {error.strerror}. Check that its disk is there."
        ) from error
