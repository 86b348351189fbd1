"""The example dashboard and alert rules name figures that exist."""

import json
import re

from cxr_app.settings import PROJECT

SOURCES = "".join(
    (PROJECT / "cxr_app" / name).read_text() for name in ("measured.py", "operations/monitoring.py")
)
SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def named(text: str) -> set[str]:
    found = set(re.findall(r"\bcxr_[a-z_]+", text)) - {"cxr_app"}
    return {re.sub(f"({'|'.join(SUFFIXES)})$", "", name) for name in found}


def test_the_dashboard_shows_figures_that_exist() -> None:
    board = json.loads((PROJECT / "docs" / "grafana.json").read_text())
    shown = named(" ".join(panel["targets"][0]["expr"] for panel in board["panels"]))
    assert len(shown) == 12
    assert shown <= named(SOURCES)


def test_there_are_six_rules_on_figures_that_exist() -> None:
    rules = (PROJECT / "docs" / "alerts.yaml").read_text()
    assert rules.count("- alert:") == rules.count("expr:") == rules.count("summary:") == 6
    assert named(" ".join(re.findall("expr: .*", rules))) <= named(SOURCES)
