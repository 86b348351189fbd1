"""The example alert rules fire when they should, and only then."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cxr_app.settings import PROJECT

JOB = "chest-film-triage"
SERVER = {"job": JOB, "instance": "a"}
WELL = {
    "up": (SERVER, "1"),
    "cxr_engine_ready": (SERVER, "1"),
    "cxr_films": ({**SERVER, "state": "unscored"}, "3"),
    "cxr_scoring_seconds_count": (SERVER, "0+5"),
    "cxr_oldest_wait_seconds": (SERVER, "3600"),
    "cxr_waiting_cap_seconds": (SERVER, "259200"),
    "cxr_results_outgoing": ({**SERVER, "archive": "A@a:104", "state": "waiting"}, "8"),
    "cxr_audit_waiting": (SERVER, "0"),
    "cxr_disk_free_bytes": (SERVER, "90000000000"),
    "cxr_log_errors_total": (SERVER, "0"),
}
"""Figures of a server that is well: labels, then the value, or its beginning and its steps."""
ILL = [
    ("TriageServerAway", "up", "0"),
    ("TriageModelNotLoaded", "cxr_engine_ready", "0"),
    ("TriageFilmsNotScored", "cxr_scoring_seconds_count", "7"),
    ("TriageFilmWaits", "cxr_oldest_wait_seconds", "259201"),
    ("TriageResultsWait", "cxr_results_outgoing", "51"),
    ("TriageResultsWait", "cxr_audit_waiting", "10001"),
    ("TriageDiskFull", "cxr_disk_free_bytes", "4000000000"),
    ("TriageDiskFull", "cxr_log_errors_total", "0+1"),
]
"""Each rule and a figure that makes it fire."""
BESIDE = [
    ("cxr_scoring_seconds_count", {"job": JOB, "instance": "b"}, "0+5"),
    ("cxr_results_outgoing", {**SERVER, "archive": "B", "state": "withdrawn"}, "90"),
]
"""Figures that come to those of a server that is well, or scores nothing itself."""

PROMTOOL = shutil.which("promtool") or ""
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool of Prometheus is not installed")


@needs_promtool
@pytest.mark.parametrize(("rule", "figure", "value"), ILL)
def test_a_rule_fires_for_its_figure_and_no_other_rule_does(
    tmp_path: Path, rule: str, figure: str, value: str
) -> None:
    figures = WELL | {figure: (WELL[figure][0], value)}
    assert firing(tmp_path, figures) == {rule}


@needs_promtool
def test_a_server_that_is_well_rings_nobody(tmp_path: Path) -> None:
    assert firing(tmp_path, WELL) == set()


@needs_promtool
def test_what_a_person_has_withdrawn_and_a_server_that_idles_beside_another_ring_nobody(
    tmp_path: Path,
) -> None:
    figures = WELL | {"cxr_scoring_seconds_count": (SERVER, "7")}
    assert firing(tmp_path, figures, *BESIDE) == set()


def firing(folder: Path, figures: dict[str, Any], *others: tuple[str, Any, str]) -> set[str]:
    """Return the names of the rules that fire after three hours of these figures."""
    series = [(name, *found) for name, found in figures.items()]
    found = set()
    for rule in {
        rule for rule, _, _ in ILL
    }:  # promtool says what fires only by what was expected not to
        test = {
            "interval": "1m",
            "input_series": [_series(*each) for each in (*series, *others)],
            "alert_rule_test": [{"eval_time": "3h", "alertname": rule, "exp_alerts": []}],
        }
        file = folder / f"{rule}.yaml"  # JSON is YAML
        paths = [str(PROJECT / "docs" / "alerts.yaml")]
        file.write_text(json.dumps({"rule_files": paths, "tests": [test]}))
        run = subprocess.run(
            [PROMTOOL, "test", "rules", str(file)], capture_output=True, check=False, text=True
        )
        assert run.returncode == 0 or "exp:" in run.stdout + run.stderr, run.stderr
        if run.returncode:
            found.add(rule)
    return found


def _series(name: str, labels: dict[str, str], value: str) -> dict[str, str]:
    written = ",".join(f'{label}="{each}"' for label, each in labels.items())
    step = value if "+" in value else f"{value}+0"
    return {"series": f"{name}{{{written}}}", "values": f"{step}x300"}
