"""Measure scoring and training against what this machine can do at most, in one run.

    python -m training.benchmark [--json FILE] [--memory N] [--kills N] [--entries N]

The films are drawn: 1400 x 1000 grey JPEG, 12-bit uncompressed DICOM and JPEG 2000 DICOM. What
counts are the ratios: where a machine does other work at the same time, the rates mean little.
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_app.errors import CxrError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model import checkpoint
from cxr_app.settings import Settings
from training.backlog.engines import BacklogPlan
from training.backlog.engines.local import cores
from training.bench import kill_test, memory_growth, throughput
from training.bench.bench_films import SUFFIXES, write_bench_films
from training.bench.training_throughput import training_rates
from training.command_line.output_path import prepare_output

OF_LIMIT, OF_YARDSTICK, OF_NETWORK = 0.90, 3.0, 0.85
"""What the command should reach of its limit and of the yardstick, and training of its network."""
MEMORY_MB = 100.0
ANSWER_MS, SLOWEST, ENTERING_TIMES = 100.0, 20, 2.0
"""What an answer of the worklist may take, how many are shown, and what a full one may cost."""
FILMS_A_KILL = 20
ROUNDS = 3
"""Of the command beside its limits: what else the machine does changes from one to the next."""

Document = dict[str, Any]
BenchmarkRow = tuple[str, str, str]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and give the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        if options.json is not None:
            prepare_output(options.json)
        measured = measure(options)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json is not None:
        options.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    rows = table(measured)
    widths = [max(len(row[place]) for row in rows) for place in range(2)]
    for name, found, wanted in rows:
        print(f"{name:<{widths[0]}}  {found:>{widths[1]}}  {wanted}".rstrip())
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--json", type=Path, metavar="FILE", help="also write everything into this file")
    add("--checkpoint", type=Path, metavar="FILE", help="default: CXR_CHECKPOINT")
    films = "of each format; default: 400; 0 measures neither scoring nor training"
    add("--films", type=int, default=400, metavar="N", help=films)
    add("--recipe", default=SHIPPED, help=f"whose training is measured; default: {SHIPPED}")
    add("--memory", type=int, metavar="N", help="also follow the memory over N films")
    add("--kills", type=int, metavar="N", help="also kill a run N times, and count what is lost")
    add("--entries", type=int, metavar="N", help="also fill a worklist with N entries")
    return parser


def measure(options: argparse.Namespace) -> Document:
    """Measure everything that the options ask for."""
    settings = Settings.read()
    path = (options.checkpoint or settings.checkpoint).resolve()
    source = checkpoint.load(path)
    plan = BacklogPlan(path, source.model_version, source.description.input_spec, "cpu")
    ours = {"CXR_CHECKPOINT": str(path), "CXR_DEVICE": "cpu"}
    measured: Document = {"model_version": source.model_version, "cores": cores()}
    with TemporaryDirectory() as name:
        place = Path(name)
        if options.films:
            measured |= _scoring(place, plan, ours, options.films)
            _tell("Training")
            whole, network = throughput.in_fresh_process(
                training_rates, options.recipe, settings.device
            )
            measured["training"] = {"whole": whole, "network": network, "share": whole / network}
        measured |= _lasting(place, ours, options)
    return measured


def _scoring(place: Path, plan: BacklogPlan, ours: Mapping[str, str], count: int) -> Document:
    """Measure each format against its limit, and JPEG against the yardstick."""
    _tell("Drawing films")
    folders = {kind: write_bench_films(place / kind, kind, count) for kind in SUFFIXES}
    jpeg = folders["jpeg"]
    _tell("Network alone")
    network = {size: throughput.network_rate(jpeg, plan, size) for size in throughput.BATCH_SIZES}
    best = max(network, key=lambda size: network[size])
    settings = {**ours, "CXR_RUNTIME": "torch"}
    formats = {}
    for kind, folder in folders.items():
        _tell(f"The command on {kind}, against decoding and the network alone")
        formats[kind] = _middle_round(folder, plan, best, settings)
    _tell("Yardstick")
    plain = throughput.yardstick_rate(jpeg)
    measured = {
        "network": network,
        "best_batch_size": best,
        "formats": formats,
        "yardstick": {"rate": plain, "times": formats["jpeg"]["whole"] / plain},
        "latency_ms": 1000 * throughput.latency(jpeg, plan),
    }
    if find_spec("openvino") is not None:
        _tell("OpenVINO")
        measured["openvino"] = _openvino(jpeg, plan, ours, measured)
    return measured


def _middle_round(
    folder: Path, plan: BacklogPlan, batch_size: int, settings: Mapping[str, str]
) -> dict[str, float]:
    """Measure the command beside its limits some times, and give the round of the middle share."""
    rounds = []
    for _ in range(ROUNDS):
        decode = throughput.decode_rate(folder, plan)
        network = throughput.network_rate(folder, plan, batch_size)
        limit = throughput.combined_rate(decode, network)
        whole = throughput.command_rate(folder, settings)
        found = {"decode": decode, "network": network, "limit": limit, "whole": whole}
        rounds.append({**found, "share": whole / limit})
    return sorted(rounds, key=lambda found: found["share"])[ROUNDS // 2]


def _openvino(
    jpeg: Path, plan: BacklogPlan, ours: Mapping[str, str], measured: Document
) -> Document:
    """Measure the same with the faster runtime."""
    plan, size = replace(plan, runtime="openvino"), measured["best_batch_size"]
    found = _middle_round(jpeg, plan, size, {**ours, "CXR_RUNTIME": "openvino"})
    return {
        **found,
        "times_torch": found["network"] / measured["formats"]["jpeg"]["network"],
        "times_yardstick": found["whole"] / measured["yardstick"]["rate"],
    }


def _lasting(place: Path, ours: Mapping[str, str], options: argparse.Namespace) -> Document:
    """Measure what takes long, where it is asked for."""
    measured: Document = {}
    if options.memory:
        _tell(f"Memory over {options.memory} films")
        films = memory_growth.write_small_films(place / "memory", options.memory)
        measured["memory"] = memory_growth.follow_memory(films, ours)
    if options.kills:
        _tell(f"{options.kills} kills")
        films = memory_growth.write_small_films(place / "kills", FILMS_A_KILL * options.kills)
        settings = {**ours, "CXR_DATA_DIR": str(place / "killed")}
        endured = kill_test.run_kill_test(films, place / "killed.csv", settings, options.kills)
        measured["kills"] = asdict(endured)
    if options.entries:
        _tell(f"A worklist of {options.entries} entries")
        measured["entries"] = memory_growth.fill(place / "full.sqlite", options.entries)
    return measured


def table(measured: Document) -> list[BenchmarkRow]:
    """Put what was measured into rows: what, how much, what is wanted."""
    machine = [("model", measured["model_version"], ""), ("cores", str(measured["cores"]), "")]
    scoring = _scoring_rows(measured) if "network" in measured else []
    return [*machine, *scoring, *_lasting_rows(measured)]


def _scoring_rows(measured: Document) -> list[BenchmarkRow]:
    rows: list[BenchmarkRow] = [
        *(
            (f"network alone, {size} at once", _rate(rate), "")
            for size, rate in measured["network"].items()
        ),
    ]
    for kind, found in measured["formats"].items():
        rows += [
            (f"{kind}: decoding alone", _rate(found["decode"]), ""),
            (f"{kind}: limit of both on the same cores", _rate(found["limit"]), ""),
            (f"{kind}: the whole command", _rate(found["whole"]), ""),
            (f"{kind}: of its limit", f"{found['share']:.0%}", f"wanted: {OF_LIMIT:.0%}"),
        ]
    rows += [
        ("plain loop, DenseNet-121", _rate(measured["yardstick"]["rate"]), ""),
        _times("the command against it", measured["yardstick"]["times"], OF_YARDSTICK),
        ("one film on an idle server", f"{measured['latency_ms']:.0f} ms", ""),
    ]
    if "openvino" in measured:
        found = measured["openvino"]
        rows += [
            ("OpenVINO: network alone", _rate(found["network"]), ""),
            ("OpenVINO: against torch", f"{found['times_torch']:.2f} times", ""),
            ("OpenVINO: the whole command, jpeg", _rate(found["whole"]), ""),
            ("OpenVINO: of its limit", f"{found['share']:.0%}", f"wanted: {OF_LIMIT:.0%}"),
            _times("OpenVINO: against the plain loop", found["times_yardstick"], OF_YARDSTICK),
        ]
    training = measured["training"]
    rows += [
        ("training", _rate(training["whole"]), ""),
        ("its network alone, both ways", _rate(training["network"]), ""),
        ("training of its network", f"{training['share']:.0%}", f"wanted: {OF_NETWORK:.0%}"),
    ]
    return rows


def _lasting_rows(measured: Document) -> list[BenchmarkRow]:
    rows: list[BenchmarkRow] = []
    if memory := measured.get("memory"):
        first, most = f"{memory['after_first']:.0f} MB", f"{memory['most']:.0f} MB"
        rows += [
            (f"memory after {memory_growth.FIRST_FILMS} films", first, ""),
            ("most memory after that", most, f"wanted: less than {MEMORY_MB:.0f} MB more"),
        ]
    if kills := measured.get("kills"):
        lost = kills["rows_lost"] + kills["entries_lost"]
        twice = kills["rows_twice"] + kills["entries_twice"]
        rows.append((f"after {kills['kills']} kills", f"{lost} lost, {twice} twice", "wanted: 0"))
    if entries := measured.get("entries"):
        rows += [
            ("a film into an empty worklist", f"{entries['empty_ms']:.1f} ms", ""),
            ("a film into a full worklist", f"{entries['full_ms']:.1f} ms", ""),
            _at_most("full against empty", entries["times"], ENTERING_TIMES),
            *_answer_rows(entries["answers"]),
        ]
    return rows


def _answer_rows(answers: Mapping[str, float]) -> list[BenchmarkRow]:
    """Name the slowest answers of the worklist, and how many are later than wanted."""
    slowest = sorted(answers, key=lambda name: answers[name], reverse=True)
    late = sum(taken > ANSWER_MS for taken in answers.values())
    wanted = f"wanted: {ANSWER_MS:.0f} ms"
    return [
        ("questions of the worklist", str(len(answers)), ""),
        ("of them slower than wanted", str(late), "wanted: 0"),
        *((name, f"{answers[name]:.1f} ms", wanted) for name in slowest[:SLOWEST]),
    ]


def _at_most(name: str, times: float, wanted: float) -> BenchmarkRow:
    return name, f"{times:.2f} times", f"wanted: at most {wanted:.0f} times"


def _times(name: str, times: float, wanted: float) -> BenchmarkRow:
    return name, f"{times:.2f} times", f"wanted: {wanted:.0f} times"


def _rate(films_a_second: float) -> str:
    return f"{films_a_second:.1f} films/s"


def _tell(what: str) -> None:
    print(f"{what} ...", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
