"""A patient's name goes in by every door of a running server, and is looked for in what comes out.

Films are sent, scored, refused, searched for, read, lost and scored again by a backlog. The pages
show the name to whoever reads; nothing that stays behind may: no log, address or file name.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cxr_app.worklist import Query, Worklist
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.browser.test_upload_journey import PATIENCE_MILLISECONDS, payload, row, send
from tests.integration.test_nothing_leaks import MARKS, films
from training.backlog.results import COLUMNS

NAME = "Quuxlove Zebedea"


class ServerWithBacklog(ServerWithTinyModel):
    """A server that may score a folder, and logs more than it usually does."""

    @property
    def archive(self) -> Path:
        return self.output.with_name("archive")

    def _environment(self) -> dict[str, str]:
        allowed = {"CXR_BACKLOG_FOLDERS": str(self.archive), "PYTHONWARNINGS": "always"}
        return super()._environment() | allowed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server, and beside it a folder of films of every fate."""
    folder = tmp_path_factory.mktemp("leaks")
    prepared = ServerWithBacklog(folder / "data", folder / "output.txt")
    prepared.archive.mkdir()
    for number, data in enumerate(films().values()):
        (prepared.archive / f"{number}.dcm").write_bytes(data + b"\0\0")  # films of their own
    with prepared:
        yield prepared


@pytest.fixture
def worklist(server: Server) -> Iterator[Worklist]:
    """The same worklist, seen from beside the server."""
    opened = Worklist.open(f"sqlite:///{server.data_dir}/worklist.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def addresses(page: Page) -> list[str]:
    """The address of every request of the browser, and the headers of every response."""
    noted: list[str] = []
    page.on("request", lambda request: noted.append(request.url))
    page.on("framenavigated", lambda frame: noted.append(frame.url))
    page.on("response", lambda response: noted.append(str(response.headers)))
    page.on("websocket", lambda socket: noted.append(socket.url))
    return noted


def test_a_name_is_nowhere_but_in_the_worklist_and_on_its_pages(
    server: Server, page: Page, worklist: Worklist, addresses: list[str], console_errors: list[str]
) -> None:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    upload_all(server, page)
    seen = search_and_read(server, page)
    seen += ask_for_lost_films(page, worklist, addresses)
    assert any("upload_file" in each for each in addresses)
    console_errors.clear()  # the browser says that what was asked for is not there
    score_backlog(server, page)
    page.goto("about:blank")
    server.stop()

    log = server.output.read_bytes()
    assert b"fault of the program" not in log, log.decode()
    emitted = {
        "log": log,
        "addresses": "\n".join(addresses).encode(),
        "answers and titles": seen,
        "what the browser keeps": str(page.context.storage_state()).encode(),
        "file names": names_below(server),
        **job_files(server),
    }
    for place, answers in emitted.items():
        found = [mark for mark in MARKS if mark in answers.lower()]
        assert not found, f"{found} in the {place}"


def upload_all(server: Server, page: Page) -> None:
    """Send films of every fate, under the patient's name."""
    page.goto(f"{server.url}/upload")
    wait_idle(page)
    sent = films()
    send(page, *(payload(f"{NAME} {kind}.dcm", data) for kind, data in sent.items()))
    # Fewer than were sent: some are one film in several transfer syntaxes.
    expect(page.get_by_test_id("stProgress")).to_contain_text(re.compile(r"(\d+) of \1 films done"))
    expect(row(page, f"{NAME} scored.dcm")).to_contain_text("scored")


def search_and_read(server: Server, page: Page) -> bytes:
    """Look for the patient, open a film, judge it and comment on it."""
    titles = [page.title()]
    page.goto(f"{server.url}/?state=all")
    wait_idle(page)
    field = page.get_by_role("searchbox").or_(page.get_by_placeholder("Patient, name")).first
    field.fill("zebedea")
    field.press("Enter")
    found = row(page, f"{NAME} scored.dcm")
    expect(found).to_be_visible()
    titles.append(page.title())
    found.click()
    page.wait_for_url("**/film?**")
    expect(page.get_by_text("Quuxlove, Zebedea").first).to_be_visible()
    verdicts = page.locator(".st-key-verdicts")  # the list has a button of that name, to sort by
    verdicts.get_by_role("button", name=re.compile("^Pneumonia")).click()
    comment = page.get_by_role("textbox", name="Comment")
    comment.fill(f"{NAME} was here")
    comment.press("Enter")
    expect(page.locator(".reviews").get_by_text("was here")).to_be_visible()
    titles.append(page.title())
    return "\n".join(titles).encode()


def ask_for_lost_films(page: Page, worklist: Worklist, addresses: list[str]) -> bytes:
    """Ask the film route for films that are lost, damaged, broken, and for none at all."""
    base = next(each.split("/films/")[0] for each in addresses if "/films/" in each)
    entries = worklist.page(Query(state="all", text=NAME), limit=100)
    # Of the films that no page has asked for: the others are still in the server's memory.
    lost, damaged = [each for each in entries if each.id not in "".join(addresses)][:2]
    lost.path.unlink()
    damaged.path.write_bytes(b"PatientName Quuxlove^Zebedea")
    paths = [f"{entry.id}{suffix}" for entry in entries for suffix in ("", "/heat")]
    answers = b""
    for name in (*paths, "0" * 32, "%00", "..%2f..%2fworklist.sqlite"):
        answer = page.request.get(f"{base}/films/{name}", fail_on_status_code=False)
        answers += answer.body() + str(answer.headers).encode()
    assert b"cannot be read" in answers
    assert b"was changed on disk" in answers
    return answers


def score_backlog(server: Server, page: Page) -> None:
    """Have the server score a folder."""
    page.goto(f"{server.url}/backlog")
    page.get_by_role("button", name="Score folder").click()
    done = page.get_by_text(re.compile("^done · ")).first
    expect(done).to_be_visible(timeout=4 * PATIENCE_MILLISECONDS)  # a job waits for all else


def names_below(server: Server) -> bytes:
    """Return the names of all files that the server has made."""
    assert server.data_dir is not None
    return "\n".join(str(path) for path in server.data_dir.rglob("*")).encode()


def job_files(server: Server) -> dict[str, bytes]:
    """Return what the backlog wrote; its table has the contract's columns and no others."""
    assert server.data_dir is not None
    files = {path.name: path for path in (server.data_dir / "jobs").rglob("*") if path.is_file()}
    with files["results.csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {row["state"] for row in rows} == {"SCORED", "REJECTED", "FAILED"}
    return {name: path.read_bytes() for name, path in files.items()}
