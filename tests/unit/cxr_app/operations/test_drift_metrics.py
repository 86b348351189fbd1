"""Drift figures for Prometheus: of last week, only where there are enough films, and cached."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from cxr_app.evaluation.drift_figures import FEWEST
from cxr_app.evaluation.drift_films import DriftFilms, monday
from cxr_app.operations.drift_metrics import ALL, DriftCollector
from tests.support.drift import Film, columns

LAST = 2960
NOW = datetime.combine(monday(LAST + 1), datetime.min.time(), UTC) + timedelta(days=2)


class Films:
    """Films of many weeks, counted each time they are read."""

    def __init__(self, films: list[Film]) -> None:
        self.films = columns(films)
        self.reads = 0

    def __call__(self) -> DriftFilms:
        self.reads += 1
        return self.films


def site(last_week: int) -> Films:
    """A site of two stations: early films all alike, last week's likelier, and one refused."""
    early = [Film(LAST - 20, probability=n / 400) for n in range(200)]
    late = [
        Film(LAST, probability=0.9, flagged=n % 2 == 0, station=f"CR-{1 + (n < FEWEST)}")
        for n in range(last_week)
    ]
    now = [Film(LAST + 1, probability=0.1) for _ in range(50)]
    return Films([*early, *late, Film(LAST, refused=True, station="CR-2"), *now])


def figures(collector: DriftCollector) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }


def collector(films: Films) -> DriftCollector:
    made = DriftCollector(films, lambda: "m-1", lambda: NOW)
    made.refresh()
    return made


def test_the_figures_are_those_of_the_last_whole_week_by_station() -> None:
    found = figures(collector(site(2 * FEWEST)))
    assert found["cxr_drift_flagged_share", ALL] == 0.5
    assert found["cxr_drift_refused_share", "CR-2"] == pytest.approx(1 / (FEWEST + 1))
    assert found["cxr_drift_psi", ALL] > 1
    assert found["cxr_drift_week_start_seconds",] == (NOW - timedelta(days=9)).timestamp()


def test_a_station_with_too_few_films_has_no_figure() -> None:
    found = figures(collector(site(FEWEST + 5)))
    assert {labels[-1] for labels in found if len(labels) > 1} == {ALL, "CR-2"}
    assert figures(collector(site(3))).keys() == {("cxr_drift_week_start_seconds",)}
    assert figures(collector(Films([]))).keys() == {("cxr_drift_week_start_seconds",)}


def test_scrapes_read_the_films_once_and_do_not_wait() -> None:
    films = site(2 * FEWEST)
    scraped = DriftCollector(films, lambda: "m-1", lambda: NOW)
    assert figures(scraped) == {} or films.reads == 1
    for thread in threading.enumerate():
        if thread.name == "drift-figures":
            thread.join()
    for _ in range(3):
        assert figures(scraped)["cxr_drift_flagged_share", ALL] == 0.5
    assert films.reads == 1
