"""The page of a measurement, opened from disk as a data scientist would."""

from pathlib import Path

from playwright.sync_api import Page

from tests.support.checkpoints import write_tiny
from tests.support.films import write_kaggle_folder
from training import evaluate


def test_the_report_opens_from_disk_without_the_network(page: Page, tmp_path: Path) -> None:
    films = write_kaggle_folder(tmp_path / "films", 4)
    checkpoint = write_tiny(tmp_path / "0.safetensors")
    report = tmp_path / "report.html"
    options = ["--data", str(films), "--checkpoint", str(checkpoint), "--device", "cpu"]
    assert evaluate.main([*options, "--json", str(report.with_suffix(".json"))]) == 0
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    page.goto(report.as_uri())

    drawn = page.locator(".js-plotly-plot .main-svg").first
    drawn.wait_for()
    assert page.locator(".js-plotly-plot").count() == 7
    beyond = [url for url in requested if not url.startswith(("data:", "blob:"))]
    assert beyond == [report.as_uri()]
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
