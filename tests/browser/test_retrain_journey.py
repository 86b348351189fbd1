"""Retraining from start to promote to roll back: a tiny recipe on a few drawn films."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from cxr_app.imaging.intake import read_radiograph
from cxr_app.model import checkpoint, networks
from cxr_app.model.classifier import Classifier
from cxr_app.prediction import OperatingPoint
from cxr_app.worklist import Query, Worklist
from tests.browser.driving import Server, wait_idle
from tests.support.checkpoints import describe, write_tiny
from tests.support.desk import Desk
from tests.support.films import KINDS, jpeg, write_manifest

PATIENTS = {"": 170, "bacterial": 110, "viral": 110}
SIDE = 48
EPOCHS = 8
RECIPE = f"""
architecture = "resnet18"
batch_size = 32
stages = [{{size = 32, epochs = {EPOCHS}}}]
"""
PATIENCE_MILLISECONDS = 120_000


class ServerToRetrain(Server):
    """A server with films to train on, a recipe of its own, and a model that knows nothing."""

    @property
    def films(self) -> Path:
        return self.output.with_name("films")

    @property
    def model(self) -> Path:
        return self.output.with_name("in_use.safetensors")

    def _environment(self) -> dict[str, str]:
        allowed = {"CXR_TRAINING_FOLDERS": str(self.films), "CXR_CHECKPOINT": str(self.model)}
        return super()._environment() | allowed


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait for what a page shows as long as a busy machine may need."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the journey."""
    folder = tmp_path_factory.mktemp("retrain")
    prepared = ServerToRetrain(folder / "data", folder / "output.txt")
    draw_films(prepared.films)
    write_ignorant(prepared.model, prepared.films)
    (folder / "data" / "recipes").mkdir(parents=True)
    (folder / "data" / "recipes" / "quick.toml").write_text(RECIPE)
    with prepared:
        yield prepared


@pytest.fixture
def worklist(server: Server) -> Iterator[Worklist]:
    """The same worklist, seen from beside the server."""
    opened = Worklist.open(f"sqlite:///{server.data_dir}/worklist.sqlite")
    yield opened
    opened.close()


def draw_films(folder: Path) -> None:
    """Small films of many patients, and a manifest of them."""
    folder.mkdir()
    rows = []
    for offset, (cause, target) in enumerate(KINDS.items()):
        for number in range(PATIENTS[cause]):
            path = folder / f"{cause or 'clear'}{number}.jpeg"
            path.write_bytes(jpeg(1000 * offset + number, cause, SIDE, SIDE))
            row = {"path": path.name, "target": target, "cause": cause, "partition": ""}
            rows.append(row | {"patient_id": path.stem})
    write_manifest(folder / "drawn.csv", rows)


def write_ignorant(path: Path, films: Path) -> None:
    """Write a model of random weights that flags every second film.

    It misses half of the pneumonias and spares half of the other films, so that a challenger of a
    few epochs is better at both by far more than the intervals of the held-out films are wide.
    """
    classifier = Classifier.load(write_tiny(path), "cpu")
    some = [read_radiograph(film.read_bytes()).image for film in sorted(films.glob("*1.jpeg"))]
    answer = classifier.predict([classifier.prepare(image) for image in some])
    low, high = np.percentile([each.pneumonia_probability for each in answer], [35, 50])
    points = {
        "balanced": OperatingPoint("balanced", float(high), 0.5, 0.5),
        "high_sensitivity": OperatingPoint("high_sensitivity", float(low), 0.65, 0.35),
    }
    torch.manual_seed(0)
    weights = checkpoint.rounded(networks.build("resnet18"))
    checkpoint.save(path, weights, replace(describe(), operating_points=points))


def open_retrain(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/retrain")
    expect(page.get_by_role("heading", name="Retrain")).to_be_visible()
    wait_idle(page, timeout_seconds=60)


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list, and close it."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()
    page.keyboard.press("Escape")
    wait_idle(page)


def expect_in_use(page: Page, version: str) -> None:
    """Wait until the banner of every page names this model."""
    expect(page.locator(".st-key-banner")).to_contain_text(version)


def train(page: Page) -> None:
    """Begin, look at the curves, stop, go on."""
    choose(page, "Recipe", "quick")
    choose(page, "Films", "drawn.csv")
    page.get_by_role("button", name="Start").click()
    job = page.locator(".st-key-job")
    some_done = re.compile(rf"Epoch [1-9] of {EPOCHS}")
    expect(job.get_by_test_id("stProgress")).to_contain_text(some_done)
    expect(job.locator(".js-plotly-plot")).to_be_visible()
    job.get_by_role("button", name="Cancel").click()
    job.get_by_role("button", name="Resume").click()


def promote(page: Page) -> None:
    """Wait for the comparison, come back to it after a reload, and decide."""
    challenger = page.locator(".st-key-challenger")
    expect(challenger.get_by_text("Not worse by the rule")).to_be_visible()
    expect(challenger.get_by_role("table").first).to_contain_text("AUROC")
    page.reload()
    wait_idle(page, timeout_seconds=60)
    challenger.get_by_role("button", name="Promote").click()
    expect(challenger.get_by_text("This model is in use")).to_be_visible()


def score_a_film(page: Page, server: Server, worklist: Worklist) -> str:
    """Receive a film, wait until its page shows its score, and return the model that gave it."""
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    entry_id = desk.receive(jpeg(7, "bacterial"), "film.jpeg")
    desk.worklist.close()
    page.goto(f"{server.url}/film?film={entry_id}")
    expect(page.get_by_text(re.compile("Flagged|Not flagged")).first).to_be_visible()
    return worklist.entry(entry_id).model_version


@pytest.mark.timeout(600)
def test_a_challenger_is_trained_promoted_and_taken_back(
    server: ServerToRetrain, page: Page, worklist: Worklist
) -> None:
    before = checkpoint.load(server.model).model_version
    open_retrain(page, server)
    expect_in_use(page, before)
    train(page)
    promote(page)
    expect_in_use(page, "quick-")
    scored_by = score_a_film(page, server, worklist)
    assert scored_by.startswith("quick-")

    open_retrain(page, server)
    page.get_by_role("button", name=re.compile("Back to")).click()
    expect_in_use(page, before)
    (entry,) = worklist.page(Query(state="all"))
    assert entry.model_version == scored_by
    assert [change.sha256 == "" for change in worklist.promotions.history()] == [True, False]
