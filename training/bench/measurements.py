"""Measurements of the benchmark: scoring and training against the limits of this machine."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_app.model import checkpoint
from cxr_app.settings import Settings
from cxr_app.usable_cores import cores
from training.backlog.engines.contract import BacklogPlan
from training.bench import kill_test, memory_growth, million_entries, throughput
from training.bench.bench_films import SUFFIXES, write_bench_films
from training.bench.comparison import compare
from training.bench.dicom_peers import in_own_network
from training.bench.result_cost import result_cost
from training.bench.training_throughput import training_rates

FILMS_A_KILL = 20
ROUNDS = 3
"""Rounds of the command and its limits, since other work on the machine varies."""

Document = dict[str, Any]


class BenchmarkOptions(Namespace):
    """Options of `training.benchmark`, whose help describes them."""

    json: Path | None
    checkpoint: Path | None
    films: int
    recipe: str
    memory: int | None
    kills: int | None
    entries: int | None
    against: str | None
    receive: int | None
    results: int | None
    archive_kills: int | None
    arrivals: int | None


def run_benchmark(options: BenchmarkOptions) -> Document:
    """Measure everything that the options ask for; the result is ready for JSON."""
    settings = Settings.read()
    path = (options.checkpoint or settings.checkpoint).resolve()
    source = checkpoint.load(path)
    plan = BacklogPlan(path, source.model_version, source.description.input_spec, "cpu", "auto")
    cpu_settings = {"CXR_CHECKPOINT": str(path), "CXR_DEVICE": "cpu"}
    measured: Document = {"model_version": source.model_version, "cores": cores()}
    measured["films"] = options.films
    with TemporaryDirectory() as name:
        workspace = Path(name)
        if options.films and not options.against:
            measured |= _scoring(workspace, plan, cpu_settings, options.films)
            _report("Training")
            whole, network = throughput.in_fresh_process(
                training_rates, options.recipe, settings.device
            )
            measured["training"] = {"whole": whole, "network": network, "share": whole / network}
        if options.results:
            _report(f"Results of {options.results} films")
            measured["results"] = throughput.in_fresh_process(
                result_cost, workspace, plan, options.results
            )
        measured |= _endurance(workspace, cpu_settings, options)
        if options.against:
            ratios = compare(options.against, options.films, _report)
            measured["against"] = [each._asdict() for each in ratios]
    return measured


def _scoring(
    workspace: Path, plan: BacklogPlan, cpu_settings: Mapping[str, str], count: int
) -> Document:
    """Measure each format against its limit, and the network against PyTorch's."""
    _report("Drawing films")
    folders = {kind: write_bench_films(workspace / kind, kind, count) for kind in SUFFIXES}
    jpeg = folders["jpeg"]
    _report("Network alone")
    network = {size: throughput.network_rate(jpeg, plan, size) for size in throughput.BATCH_SIZES}
    best = max(network, key=lambda size: network[size])
    reference = throughput.network_rate(jpeg, replace(plan, runtime="torch"), best)
    formats = {}
    for kind, folder in folders.items():
        _report(f"The command on {kind}, against decoding and the network alone")
        formats[kind] = _median_round(folder, plan, best, cpu_settings)
    return {
        "network": network,
        "best_batch_size": best,
        "times_torch": network[best] / reference,
        "formats": formats,
        "latency_ms": 1000 * throughput.latency(jpeg, plan),
    }


def _median_round(
    folder: Path, plan: BacklogPlan, batch_size: int, settings: Mapping[str, str]
) -> dict[str, float]:
    """Measure the command and its limits several times; return the round with the median share."""
    rounds = []
    for _ in range(ROUNDS):
        decode = throughput.decode_rate(folder, plan)
        network = throughput.network_rate(folder, plan, batch_size)
        limit = throughput.combined_rate(decode, network)
        whole = throughput.command_rate(folder, settings)
        found = {"decode": decode, "network": network, "limit": limit, "whole": whole}
        rounds.append({**found, "share": whole / limit})
    return sorted(rounds, key=lambda found: found["share"])[ROUNDS // 2]


def _endurance(
    workspace: Path, cpu_settings: Mapping[str, str], options: BenchmarkOptions
) -> Document:
    """Measure what takes long, if it is asked for."""
    measured: Document = {}
    if options.memory:
        _report(f"Memory over {options.memory} films")
        films = memory_growth.write_small_films(workspace / "memory", options.memory)
        measured["memory"] = memory_growth.follow_memory(films, cpu_settings)
    if options.kills:
        _report(f"{options.kills} kills")
        films = memory_growth.write_small_films(workspace / "kills", FILMS_A_KILL * options.kills)
        settings = {**cpu_settings, "CXR_DATA_DIR": str(workspace / "killed")}
        result = kill_test.run_kill_test(films, workspace / "killed.csv", settings, options.kills)
        measured["kills"] = asdict(result)
    if options.archive_kills:
        _report(f"{options.archive_kills} kills of receiver, sender and server beside Orthanc")
        measured["archive_kills"] = in_own_network(
            "training.bench.archive_kill_test", str(options.archive_kills)
        )
    if options.receive:
        _report(f"Receiving {options.receive} films beside Orthanc")
        measured["receive"] = in_own_network("training.bench.receive_cost", str(options.receive))
    if options.arrivals:
        _report(f"{options.arrivals} films until their results are in Orthanc")
        measured["arrivals"] = in_own_network("training.bench.arrival_time", str(options.arrivals))
    if options.entries:
        _report(f"A worklist of {options.entries} entries")
        measured["entries"] = million_entries.measure_entries(
            workspace / "full.sqlite", options.entries
        )
    return measured


def _report(step: str) -> None:
    print(f"{step} ...", file=sys.stderr)
