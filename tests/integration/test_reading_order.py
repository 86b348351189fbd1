"""The simulated reading room reads what the worklist would have a person read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cxr_app.evaluation.queue_simulation import queue_of, waits
from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import OPERATING_POINTS, scored, sha256

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILMS = 60
BEFORE = 600.0
"""Minutes that one long film keeps the simulated reader busy while the others arrive."""


@pytest.mark.parametrize("cap", [1.0, 180.0, 6000.0])
def test_the_simulation_reads_in_the_order_of_the_worklist(worklist_url: str, cap: float) -> None:
    generator = np.random.default_rng(3)
    received = generator.integers(1, 30, FILMS) * 20.0  # many alike, and some just at the cap
    probabilities = generator.choice([0.05, 0.2, 0.25, 0.4, 0.5, 0.7, 0.89, 0.95, 0.99, 1.0], FILMS)
    order = np.lexsort((-probabilities, received))
    received, probabilities = received[order], probabilities[order]
    queues = [queue_of(p, OPERATING_POINTS) for p in probabilities]
    begun = (
        received
        + waits(
            np.append(0.0, received),
            np.append(BEFORE, np.full(FILMS, 1e-6)),
            np.array([0, *queues]),
            1,
            cap,
        )[1:]
    )

    worklist = Worklist.open(worklist_url, clock=lambda: NOW)
    for film in range(FILMS):
        received_at = NOW - timedelta(minutes=BEFORE - received[film])
        worklist.receive(sha256(film), str(film), Path("/a"), received_at)
        worklist.record(scored(film, probabilities[film]))
    listed = worklist.page(Query(waiting_cap=timedelta(minutes=cap)), limit=FILMS)
    worklist.close()

    assert [int(entry.source) for entry in listed] == np.argsort(begun).tolist()
