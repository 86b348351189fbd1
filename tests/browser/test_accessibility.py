"""Every page in both themes, searched by axe-core for what keeps people from using it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from cxr_app.outcome import ScoringState
from tests.browser.driving import PROJECT, Server, ServerWithTinyModel, wait_idle
from tests.support.desk import Desk
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset

SERVER = ServerWithTinyModel

AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
STREAMLITS_OWN: dict[str, str] = {
    "list": "[data-testid='stSidebarNavItems']",
    "listitem": "[data-testid='stSidebarNavItems']",
    "presentation-role-conflict": "[data-testid='stFileUploaderDropzone']",
}
"""What Streamlit draws and no setting changes, by rule: what the element is, or is in."""
SEARCH = """async ([rules, own]) => {
  const {violations} = await axe.run(document, rules);
  const isOwn = (rule, [target]) =>
    own[rule] && typeof target === "string" && document.querySelector(target)?.closest(own[rule]);
  return violations.flatMap(({id, nodes}) => nodes
    .filter(({target}) => !isOwn(id, target))
    .map(({target, html, any, all}) =>
      [id, target, html.slice(0, 160), [...any, ...all].map(({message}) => message)].join(" | ")));
}"""

READ = ("worklist", "film", "upload")
RUN = ("backlog", "retrain", "model", "drift", "connections", "audit")
WIDEST_LINE = 1_300
"""Pixels of a line of prose, some 170 letters."""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed; `npm ci` brings it")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def film(server: Server) -> Iterator[str]:
    """A flagged film with an earlier one, beside a rejected one."""
    assert server.data_dir is not None
    desk = Desk(server.data_dir)
    ds = radiograph_dataset(film_pixels(300, 300), PatientName="Example^Ada", PatientID="P-1")
    entry_id = desk.enter(dicom_bytes(ds), 0.9)
    desk.enter(dicom_bytes(radiograph_dataset(film_pixels(300, 300, seed=5))), 0.1)
    reason = "The film was not scored: it does not look like a frontal chest film."
    desk.enter_refused(
        dicom_bytes(radiograph_dataset(film_pixels(seed=3))), ScoringState.REJECTED, reason
    )
    desk.worklist.reviews.add(entry_id, "Ada", True, comment="Left base.")
    desk.worklist.mark_read(entry_id, read=False)
    yield entry_id
    desk.worklist.close()


@pytest.fixture(params=["Dark", "Light"])
def themed(request: pytest.FixtureRequest, page: Page) -> Page:
    """A page in a theme, of a reader who chose it before."""
    expect.set_options(timeout=60_000)
    choice = f"localStorage.setItem('chest-film-triage-theme', '{request.param}')"
    page.add_init_script(choice)
    return page


@pytest.mark.parametrize("name", [*READ, *RUN])
def test_axe_finds_nothing(themed: Page, app_url: str, film: str, axe: str, name: str) -> None:
    _open(themed, app_url, name, film)
    themed.evaluate(axe)
    found = themed.evaluate(SEARCH, [RULES, STREAMLITS_OWN])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", RUN)
def test_lines_of_prose_end_where_an_eye_can_follow(
    page: Page, app_url: str, film: str, name: str
) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    _open(page, app_url, name, film)
    prose = page.locator(".stMain p").evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect().width)"
    )
    assert max(prose) <= WIDEST_LINE


def _open(page: Page, app_url: str, name: str, film: str) -> None:
    """Open a page and wait until it is whole."""
    query = f"?film={film}" if name == "film" else ""
    page.goto(f"{app_url}/{'' if name == 'worklist' else name}{query}")
    wait_idle(page, 60)
    if name == "film":
        page.locator(".viewer[data-ready='true']").wait_for()
    else:
        page.get_by_role("heading", level=1).wait_for()
    wait_idle(page, 60)
