"""Make the pictures of the README: synthetic films on a real server, in a real browser.

python -m tests.browser.screenshots
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from playwright.sync_api import Page, sync_playwright

from cxr_app.film_store import FilmStore
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.browser.driving import Server, find_chromium, launch, wait_idle
from tests.support.factories import dicom_bytes, radiograph_dataset
from training.drawing.phantom_films import draw_phantom, opacities_of

PICTURES = Path(__file__).parent / "pictures"
LARGEST_PICTURE = 400_000

FILMS = 24
SURNAMES = ("Phantom", "Example", "Sample", "Specimen", "Drawn", "Nobody")
GIVEN_NAMES = ("Ada", "Bela", "Cleo", "Dino", "Enno", "Fay", "Gus")
SCORING_SECONDS = 180.0


def main(arguments: list[str] | None = None) -> int:
    """Fill a temporary worklist, and take a picture of the list and of a film."""
    argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots", description=__doc__
    ).parse_args(arguments)
    executable = find_chromium()
    if executable is None:
        print("Chromium is not installed; `apt-get install chromium` brings it.", file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data_dir = Path(folder) / "data"
        worklist = fill(Settings(data_dir=data_dir))
        with Server(data_dir, Path(folder) / "output.txt") as server:
            wait_until_scored(worklist)
            browser = launch(playwright.chromium, executable)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            take_pictures(page, server.url, hottest(worklist))
            browser.close()
        worklist.close()
    return 0


def fill(settings: Settings) -> Worklist:
    """Receive the films as if they had come in over the last day."""
    store, worklist = FilmStore(settings.films_dir), Worklist.open(settings.worklist_url)
    now = datetime.now(UTC)
    for seed in range(1, FILMS + 1):
        is_dicom = seed % 5 != 0
        data = dicom_film(seed, now) if is_dicom else jpeg_film(seed)
        sha256 = store.keep(data)
        name = f"film-{seed:02}.{'dcm' if is_dicom else 'jpeg'}"
        waited = timedelta(minutes=7 + 61 * (seed * 5 % FILMS))
        worklist.receive(sha256, name, store.path(sha256), now - waited)
    return worklist


def wait_until_scored(worklist: Worklist) -> None:
    """Wait for the server, which finds the films by itself."""
    deadline = time.monotonic() + SCORING_SECONDS
    while worklist.counts().in_progress:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all films were scored within {SCORING_SECONDS:.0f} s")
        time.sleep(0.5)


def hottest(worklist: Worklist) -> str:
    """Choose the film that shows most clearly what a heatmap is."""

    def peak(entry_id: str) -> float:
        cells = worklist.entry(entry_id).activation_map
        return -np.inf if cells is None else float(cells.max())

    return max((entry.id for entry in worklist.page(Query())), key=peak)


def take_pictures(page: Page, url: str, film: str) -> None:
    """Look at the worklist, then at this film."""
    page.goto(url)
    wait_idle(page)
    row = page.locator(f"tr[data-film='{film}']")
    row.wait_for()
    page.wait_for_timeout(1500)  # fonts, and the model's name in the sidebar
    save(page, PICTURES / "worklist.png")
    row.click()
    page.locator(".viewer[data-ready='true']").wait_for()
    wait_idle(page)
    page.mouse.move(720, 8)
    page.wait_for_timeout(1500)
    save(page, PICTURES / "film.png")


def save(page: Page, path: Path) -> None:
    """Save what the page shows, with as many colours as the size allows."""
    seen = PillowImage.open(BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64):
        buffer = BytesIO()
        # Most of a picture is grey: this way of choosing keeps colours that are rare in it.
        reduced = seen.quantize(colours, PillowImage.Quantize.MAXCOVERAGE)
        seen.quantize(colours, palette=reduced).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= LARGEST_PICTURE:
            break
    path.write_bytes(buffer.getvalue())
    print(f"{path.name}: {buffer.tell():,} bytes, {colours} colours")


def dicom_film(seed: int, now: datetime) -> bytes:
    """Draw a film of a child who does not exist, with 12 bits and a header."""
    pixels = np.rint(draw_phantom(seed, opacities=opacities_of(seed)) * 4095).astype(np.uint16)
    age = 1 + seed % 5
    ds = radiograph_dataset(
        pixels,
        bits_stored=12,
        PatientName=f"{SURNAMES[seed % len(SURNAMES)]}^{GIVEN_NAMES[seed % len(GIVEN_NAMES)]}",
        PatientID=f"P-{1000 + 37 * seed}",
        PatientSex="FM"[seed % 2],
        PatientAge=f"{age:03}Y",
        PatientBirthDate=f"{now.year - age}0101",
        AccessionNumber=f"A-{5200 + 11 * seed}",
        StudyDate=f"{now:%Y%m%d}",
        ViewPosition=("AP", "PA")[seed % 3 == 0],
    )
    return dicom_bytes(ds)


def jpeg_film(seed: int) -> bytes:
    """Draw a film as a photograph of the archive would be: 8 bits and no header."""
    pixels = np.rint(draw_phantom(seed, opacities=opacities_of(seed)) * 255).astype(np.uint8)
    buffer = BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
