"""Drift figures for Prometheus: of the last whole week, for all films and by station.

They are computed in the background some minutes apart, because they read two years of films; a
scrape has those of the last time. Stations name machines, never a patient.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cxr_app.drift_alarms import DriftFigure
from cxr_app.errors import CxrError
from cxr_app.evaluation.drift_changes import (
    FilmGroup,
    Reference,
    by_sender,
    by_week,
    first_weeks,
)
from cxr_app.evaluation.drift_films import DriftFilms, SenderFact, monday, week_of

SECONDS = 900.0
"""Time after which figures are computed again, if they are asked for."""
ALL = "*"
"""Label of all films."""
NOT_STATED = "not stated"
SHOWN = {
    DriftFigure.PSI: ("cxr_drift_psi", "PSI of last week's scores against the model's first here."),
    DriftFigure.FLAGGED: ("cxr_drift_flagged_share", "Share of last week's films flagged."),
    DriftFigure.REFUSED: ("cxr_drift_refused_share", "Share of last week's films refused."),
}


class DriftCollector(Collector):
    """Drift figures of the last whole week (UTC), computed in the background.

    Parameters
    ----------
    films
        Returns the films of the last two years.
    model
        Returns the version of the model in use; empty while it is unknown.
    clock
        Returns the current time, aware.
    """

    def __init__(
        self,
        films: Callable[[], DriftFilms],
        model: Callable[[], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._films, self._model, self._clock = films, model, clock
        self._found: list[Metric] = []
        self._due = 0.0
        self._lock = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        """Yield the figures of the last time; have them computed again if they are old."""
        if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            threading.Thread(target=self._compute, name="drift-figures", daemon=True).start()
        yield from self._found

    def refresh(self) -> None:
        """Compute the figures now.

        Raises
        ------
        CxrError
            If the worklist cannot be read.
        """
        week = week_of(self._clock().date()) - 1
        self._found = list(_metrics(self._films(), self._model(), week))

    def _compute(self) -> None:
        try:
            with suppress(CxrError):  # the scrape itself says what is wrong with the worklist
                self.refresh()
        finally:
            self._due = time.monotonic() + SECONDS
            self._lock.release()


def _metrics(films: DriftFilms, model: str, week: int) -> Iterable[Metric]:
    groups: dict[str, FilmGroup] = {}
    if len(films) and model:
        reference, weeks = Reference(first_weeks(films, model)), range(week, week + 1)
        every = np.ones(len(films), np.bool_)
        groups = {ALL: by_week(films, every, model, reference, weeks)[week]}
        stations = by_sender(films, SenderFact.STATION, model, reference, weeks)
        groups |= {name or NOT_STATED: group for name, group in stations.items()}
    for figure, (name, text) in SHOWN.items():
        yield _family(figure, name, text, groups)
    begin = datetime.combine(monday(week), datetime.min.time(), UTC).timestamp()
    yield GaugeMetricFamily("cxr_drift_week_start_seconds", "Begin of that week.", value=begin)


def _family(
    figure: DriftFigure, name: str, text: str, groups: Mapping[str, FilmGroup]
) -> GaugeMetricFamily:
    """Return one figure of each group that has films enough for it."""
    family = GaugeMetricFamily(name, text, labels=["station"])
    for station, group in groups.items():
        estimate = group.figures[figure].estimate
        if estimate is not None:
            family.add_metric([station], estimate.value)
    return family
