"""The table that the benchmark prints: every measurement beside its target."""

from collections.abc import Mapping
from typing import Any

from training.bench import memory_growth
from training.bench.measurements import Document

OF_LIMIT, OF_NETWORK = 0.93, 0.92
"""Targets: the command against its limit, and training against its network."""
MEMORY_MB = 50.0
ANSWER_MS, ENTERING_TIMES = 100.0, 2.0
"""Targets of the worklist: an answer, and entering a film into a full list against an empty one."""
RESULTS_TIMES, RECEIVE_TIMES = 0.4, 0.75
"""Targets: making a result against scoring, and receiving a film against Orthanc."""
SLOWEST = 20
"""How many of the slowest answers are shown."""

BenchmarkRow = tuple[str, str, str]


def result_table(measured: Document) -> list[BenchmarkRow]:
    """Return the measurements as rows: name, value, target."""
    machine = [("model", measured["model_version"], ""), ("cores", str(measured["cores"]), "")]
    scoring = _scoring_rows(measured) if "network" in measured else []
    against = [_ratio_row(each) for each in measured.get("against", [])]
    return [*machine, *scoring, *_endurance_rows(measured), *against]


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
        ("network alone, against PyTorch's", f"{measured['times_torch']:.2f} times", ""),
        ("one film on an idle server", f"{measured['latency_ms']:.0f} ms", ""),
    ]
    training = measured["training"]
    rows += [
        ("training", _rate(training["whole"]), ""),
        ("its network alone, both ways", _rate(training["network"]), ""),
        ("training of its network", f"{training['share']:.0%}", f"wanted: {OF_NETWORK:.0%}"),
    ]
    return rows


def _endurance_rows(measured: Document) -> list[BenchmarkRow]:
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
    rows += _archive_rows(measured)
    if entries := measured.get("entries"):
        rows += [
            ("a film into an empty worklist", f"{entries['empty_ms']:.1f} ms", ""),
            ("a film into a full worklist", f"{entries['full_ms']:.1f} ms", ""),
            _at_most("full against empty", entries["times"], ENTERING_TIMES),
            *_answer_rows(entries["answers"]),
        ]
    return rows


def _archive_rows(measured: Document) -> list[BenchmarkRow]:
    rows: list[BenchmarkRow] = []
    if results := measured.get("results"):
        rows += [
            ("scoring a film, CPU", _milliseconds(results["scoring_ms"]), ""),
            ("of it the scorer alone, CPU", _milliseconds(results["scorer_ms"]), ""),
            ("its report (SR), CPU", _milliseconds(results["sr_ms"]), ""),
            ("its picture (SC), CPU", _milliseconds(results["sc_ms"]), ""),
            _at_most("results against scoring", results["share"], RESULTS_TIMES),
            _at_most("results against the scorer", results["scorer_share"], RESULTS_TIMES),
        ]
    if kills := measured.get("archive_kills"):
        lost = kills["films_lost"] + kills["unscored"] + kills["results_lost"]
        twice = kills["films_twice"] + kills["scored_twice"] + kills["results_twice"]
        name = f"{kills['films']} films to an archive, {sum(kills['kills'].values())} kills"
        rows.append((name, f"{lost} lost, {twice} twice", "wanted: 0"))
    if arrivals := measured.get("arrivals"):
        rows += [
            (f"a film {name}, median and p95", _seconds(arrivals, key), "")
            for name, key in (
                ("acknowledged", "stored"),
                ("scored and on the list", "listed"),
                ("with report and picture in Orthanc", "sent"),
            )
        ]
    if receive := measured.get("receive"):
        film = f"a film of {receive['megabytes']:.1f} MB"
        rows += [
            (f"receiving {film}, CPU", _milliseconds(receive["ours_ms"]), ""),
            (f"Orthanc receiving {film}, CPU", _milliseconds(receive["orthanc_ms"]), ""),
            _at_most("receiving against Orthanc", receive["share"], RECEIVE_TIMES),
        ]
    return rows


def _seconds(arrivals: Mapping[str, float], key: str) -> str:
    return f"{arrivals[f'{key}_s']:.1f} s, {arrivals[f'{key}_p95_s']:.1f} s"


def _milliseconds(taken: float) -> str:
    return f"{taken:.0f} ms"


def _answer_rows(answers: Mapping[str, float]) -> list[BenchmarkRow]:
    """List the slowest answers of the worklist, and count those slower than the target."""
    slowest = sorted(answers, key=lambda name: answers[name], reverse=True)
    late = sum(taken > ANSWER_MS for taken in answers.values())
    wanted = f"wanted: {ANSWER_MS:.0f} ms"
    return [
        ("questions of the worklist", str(len(answers)), ""),
        ("of them slower than wanted", str(late), "wanted: 0"),
        *((name, f"{answers[name]:.1f} ms", wanted) for name in slowest[:SLOWEST]),
    ]


def _at_most(name: str, times: float, wanted: float) -> BenchmarkRow:
    return name, f"{times:.2f} times", f"wanted: at most {wanted:g} times"


def _ratio_row(ratio: Mapping[str, Any]) -> BenchmarkRow:
    found = f"{ratio['ratio']:.2f}" + (f" ({ratio['detail']})" if ratio["detail"] else "")
    return str(ratio["work"]), found, f"wanted: {ratio['wanted']}"


def _rate(films_a_second: float) -> str:
    return f"{films_a_second:.1f} films/s"
