"""The simulation agrees with what theory and measurements say, and loses no film."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_app.errors import SettingsError
from training import simulate
from training.scaling import installation_plan
from training.scaling.deployment import Deployment
from training.scaling.film_flow import CutOff, backlog_rate, simulate_flow
from training.scaling.part_costs import PartCosts

COSTS = PartCosts(receive_ms=1.0, decode_ms=200.0, network_ms=300.0, database_ms=1.0)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_core_makes_films_wait_as_an_m_d_1_queue(load: float) -> None:
    """Pollaczek and Khinchine: the mean wait is load / (2 (1 - load)) of the service time."""
    service = COSTS.score_ms / 1000
    hours = [load * 3600 / service] * 12
    result = simulate_flow(Deployment(0, scoring_cores=1), COSTS, hours, seed=3)
    mean = sum(result.waits) / len(result.waits)
    expected = service * (1 + load / (2 * (1 - load))) + 0.002
    assert mean == pytest.approx(expected, rel=0.05)
    assert result.busy["scoring"] == pytest.approx(load, rel=0.03)
    assert result.scored == result.arrived


def test_the_films_of_a_hospital_that_was_cut_off_are_scored_afterwards() -> None:
    deployment = Deployment(0, hospitals=4, scoring_cores=4)
    calm = simulate_flow(deployment, COSTS, [4000.0] * 6)
    cut = simulate_flow(deployment, COSTS, [4000.0] * 6, CutOff(1, 1.0, 4.0))
    assert cut.scored == cut.arrived == calm.arrived
    held = cut.arrived - len(cut.waits)
    assert held == pytest.approx(3 * 4000 / 4, rel=0.1)
    assert 0 < cut.caught_up_seconds < 3600
    assert calm.caught_up_seconds == 0


def test_the_part_that_saturates_first_is_the_one_that_is_busy() -> None:
    deployment = Deployment(1_000_000, scoring_cores=1, database_cores=8)
    part, share = deployment.first_to_saturate(COSTS)
    assert part == "scoring"
    rate = deployment.films_in_busiest_hour
    busy = simulate_flow(deployment, COSTS, [rate] * 20).busy["scoring"]
    assert busy == pytest.approx(share, rel=0.05)
    with_replica = replace(deployment, replica_cores=2).most_films_an_hour(COSTS)
    assert with_replica["database"] > deployment.most_films_an_hour(COSTS)["database"]


def test_a_backlog_takes_its_cores_and_its_start() -> None:
    costs = replace(COSTS, start_seconds=5.0, entering_ms=100.0)
    assert backlog_rate(costs, 400, 2) == pytest.approx(400 / (5 + 400 * 0.6 / 2))


def test_the_command_reads_a_benchmark_and_compares_itself_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "measured.json"
    dicom = {"decode": 40.0, "network": 60.0, "whole": 21.6}
    file.write_text(json.dumps({"cores": 2, "films": 400, "formats": {"dicom": dicom}}))
    words = [
        "--films-a-year",
        "2e6",
        "--hospitals",
        "30",
        "--scoring-cores",
        "4",
        "--replica-cores",
        "4",
    ]
    assert simulate.main([*words, "--benchmark", str(file), "--cut-off", "6"]) == 0
    said = capsys.readouterr().out
    assert "simulated, 21.6 measured (+1%)" in said
    assert "first to saturate: scoring" in said
    assert "a hospital cut off for 6 hours" in said
    file.write_text("{}")
    assert simulate.main(["--benchmark", str(file)]) == 2
    with pytest.raises(SettingsError, match=r"training\.benchmark --json"):
        PartCosts().from_benchmark(file)


def test_of_a_busy_day_the_busiest_hours_are_simulated() -> None:
    hours = installation_plan.busiest_hours([20_000.0 * share for share in installation_plan.DAY])
    assert sum(hours) <= installation_plan.SIMULATED_FILMS
    assert max(hours) == 20_000 * max(installation_plan.DAY)
