"""Uploading: every file becomes an entry, and one sentence states its result."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect
from pydicom.uid import CTImageStorage

from cxr_app.film_store import read_film
from cxr_app.worklist import Query, Worklist
from tests.browser.driving import Server, ServerWithTinyModel, wait_idle
from tests.support.factories import (
    dicom_bytes,
    film_pixels,
    png_bomb,
    png_bytes,
    radiograph_dataset,
)
from tests.support.films import jpeg

SERVER = ServerWithTinyModel

PATIENCE_MILLISECONDS = 60_000
HOSTILE = "**x** <img src=x onerror=alert(1)>.dcm"
MANY = 100


@pytest.fixture
def worklist(server: Server) -> Iterator[Worklist]:
    """The same worklist, seen from beside the server."""
    opened = Worklist.open(f"sqlite:///{server.data_dir}/worklist.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def upload(app_url: str, page: Page) -> Page:
    """The upload page."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    page.goto(app_url)
    page.get_by_role("link", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="Upload")).to_be_visible()
    wait_idle(page)
    return page


def payload(name: str, data: bytes) -> FilePayload:
    """A file as the browser's dialog would give it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def send(page: Page, *files: FilePayload) -> None:
    """Choose files in the dialog, all at once."""
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(list(files))


def row(page: Page, name: str) -> Locator:
    """The line with the result of a file."""
    return page.locator("tbody tr").filter(
        has=page.locator("[data-column='source']").get_by_text(name, exact=True)
    )


def test_what_was_chosen_is_counted_until_it_has_arrived(upload: Page) -> None:
    held: list[Route] = []
    released = False
    upload.route(
        "**/_stcore/upload_file/**",
        lambda route: route.continue_() if released else held.append(route),
    )
    send(upload, *(payload(f"{number}.jpeg", jpeg(600 + number)) for number in range(3)))
    status = upload.get_by_text("3 files are on the way to the server")
    expect(status).to_be_visible()
    released = True
    for route in held:
        route.continue_()
    expect(status).to_have_count(0)
    expect(upload.get_by_text("All done:")).to_be_visible()


def truncated_jpeg() -> bytes:
    """The first half of a film."""
    whole = jpeg(7)
    return whole[: len(whole) // 2]


def ct_slice() -> bytes:
    """A sound DICOM file that is no radiograph."""
    ds = radiograph_dataset(film_pixels(64, 64), SOPClassUID=CTImageStorage, Modality="CT")
    return dicom_bytes(ds)


def test_good_films_are_scored_and_bad_ones_say_why_without_holding_up_any(
    upload: Page, worklist: Worklist
) -> None:
    good = {
        "a.dcm": dicom_bytes(radiograph_dataset(PatientID="P-77")),
        "b.jpeg": jpeg(1),
        "c.png": png_bytes(film_pixels(bits=8, seed=2)),
    }
    bad = {
        "text.dcm": b"hello, I am no film",
        "truncated.jpeg": truncated_jpeg(),
        "empty.dcm": b"",
        "ct.dcm": ct_slice(),
        "enormous.png": png_bomb(30_000, 30_000),
    }
    before = worklist.count(Query(state="all"))
    send(upload, *(payload(name, data) for name, data in {**bad, **good}.items()))
    expect(upload.get_by_text("8 of 8 films done. 5 need a person.")).to_be_visible()
    for name in good:
        expect(row(upload, name).locator("[data-column='pneumonia']")).to_contain_text("%")
    for name in bad:
        expect(row(upload, name).locator("[data-column='state']")).to_have_text("needs a person")
        assert len(row(upload, name).locator("[data-column='remark']").inner_text()) > 20
    assert worklist.count(Query(state="all")) == before + 8
    row(upload, "a.dcm").click()
    expect(upload.get_by_text("P-77").first).to_be_visible()


def test_the_same_film_again_is_the_same_entry(upload: Page, worklist: Worklist) -> None:
    send(upload, payload("once.jpeg", jpeg(41)))
    expect(upload.get_by_text("1 of 1 film done.")).to_be_visible()
    entries = worklist.count(Query(state="all"))
    upload.reload()
    wait_idle(upload)
    send(upload, payload("again.jpeg", jpeg(41)))
    expect(row(upload, "once.jpeg")).to_contain_text("Already in the worklist.")
    assert worklist.count(Query(state="all")) == entries


def test_a_hostile_file_name_does_nothing(upload: Page) -> None:
    send(upload, payload(HOSTILE, jpeg(42)))
    expect(row(upload, HOSTILE)).to_be_visible()
    assert upload.locator("img[src='x']").count() == 0
    upload.get_by_role("link", name="Worklist", exact=True).click()
    expect(row(upload, HOSTILE)).to_be_visible()
    assert upload.locator("img[src='x']").count() == 0


def test_a_whole_folder_can_be_sent(upload: Page, worklist: Worklist, tmp_path: Path) -> None:
    before = worklist.count(Query(state="all"))
    (tmp_path / "films" / "deeper").mkdir(parents=True)
    (tmp_path / "films" / "one.jpeg").write_bytes(jpeg(51))
    (tmp_path / "films" / "deeper" / "two.jpeg").write_bytes(jpeg(52))
    upload.get_by_test_id("stFileUploaderDropzoneInput").nth(1).set_input_files(tmp_path / "films")
    expect(upload.get_by_text("2 of 2 films done.")).to_be_visible()
    assert worklist.count(Query(state="all")) == before + 2


def test_a_hundred_films_arrive_and_the_page_says_how_far_it_is(
    upload: Page, worklist: Worklist, page: Page
) -> None:
    before = worklist.count(Query(state="all"))
    send(
        upload,
        *(payload(f"{n:03d}.jpeg", jpeg(1000 + n, rows=64, columns=64)) for n in range(MANY)),
    )
    bar = upload.get_by_test_id("stProgress")
    expect(bar).to_contain_text(
        f"of {MANY}", timeout=3 * PATIENCE_MILLISECONDS
    )  # once all are here
    expect(upload.locator("tbody tr")).to_have_count(MANY)
    upload.get_by_role("link", name="Worklist", exact=True).click()
    expect(upload.get_by_role("heading", name="Worklist")).to_be_visible()
    upload.get_by_role("link", name="Upload", exact=True).click()
    expect(bar).to_contain_text(f"{MANY} of {MANY} films done.", timeout=3 * PATIENCE_MILLISECONDS)
    assert worklist.count(Query(state="all")) == before + MANY
    assert worklist.counts().in_progress == 0


def test_films_are_scored_although_the_browser_has_gone(upload: Page, worklist: Worklist) -> None:
    before = worklist.count(Query(state="all"))
    send(upload, *(payload(f"gone {n}.jpeg", jpeg(2000 + n)) for n in range(10)))
    expect(upload.locator("tbody tr").first).to_be_visible()
    upload.goto("about:blank")
    for _ in range(600):
        counts = worklist.counts()
        if worklist.count(Query(state="all")) == before + 10 and counts.in_progress == 0:
            return
        upload.wait_for_timeout(100)
    pytest.fail(f"{worklist.counts().in_progress} films are not scored")


def test_what_had_arrived_is_there_and_scored_after_the_server_was_killed(
    server: Server, upload: Page, worklist: Worklist, console_errors: list[str]
) -> None:
    everything = Query(state="all")
    before = worklist.count(everything)
    send(upload, *(payload(f"killed {n}.jpeg", jpeg(3000 + n)) for n in range(60)))
    for _ in range(600):
        arrived = worklist.page(everything, limit=1000)
        if len(arrived) > before + 3:
            break
        upload.wait_for_timeout(20)
    server.kill()
    assert len(arrived) > before + 3
    console_errors.clear()  # the browser reports the lost connection
    upload.goto("about:blank")
    console_errors.clear()
    server.start()
    for entry in worklist.entries_by_ids(each.id for each in arrived):
        read_film(entry.path, entry.sha256)
    assert len(worklist.page(everything, limit=1000)) >= len(arrived)
    for _ in range(600):
        if worklist.counts().in_progress == 0:
            break
        upload.wait_for_timeout(100)
    assert worklist.counts().in_progress == 0
    upload.goto(f"{server.url}/upload")
    wait_idle(upload)
    send(upload, *(payload(f"killed {n}.jpeg", jpeg(3000 + n)) for n in range(60)))
    expect(upload.get_by_text("60 of 60 films done.")).to_be_visible()
    assert worklist.count(everything) == before + 60
