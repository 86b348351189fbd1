"""A reader signs in with the site's directory, reads, and signs out; nothing opens without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.directory import (
    PATIENCE,
    ServerWithSignIn,
    cookie_of,
    running_provider,
    sign_in,
    status,
)
from tests.browser.driving import PROJECT
from tests.browser.window import shown_in_window
from tests.support.desk import Desk
from tests.support.films import jpeg


@pytest.fixture
def provider() -> Iterator[int]:
    """A real OpenID provider; its port."""
    with running_provider() as port:
        yield port


@pytest.fixture
def signed(tmp_path: Path, provider: int) -> Iterator[tuple[ServerWithSignIn, str]]:
    """A server with one film, and the film's id."""
    desk = Desk(tmp_path / "data")
    film = desk.enter(jpeg(1), 0.8, "film.jpeg")
    desk.worklist.close()
    server = ServerWithSignIn(tmp_path / "data", tmp_path / "output.txt", PROJECT)
    server.provider_port = provider
    with server:
        yield server, film


def test_a_reader_signs_in_reads_and_signs_out(
    signed: tuple[ServerWithSignIn, str], page: Page, console_errors: list[str]
) -> None:
    server, film = signed
    assert status(server.port, f"/films/{film}") == 401
    page.goto(server.url)
    expect(page.get_by_text("Sign in to see films.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Worklist")).to_have_count(0)
    sign_in(page, "weiss@hospital.example")
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("weiss@hospital.example")).to_be_visible(timeout=PATIENCE)
    cookie = cookie_of(page)
    assert status(server.port, f"/films/{film}", cookie) == 200
    assert status(server.port, f"/films/{film}/heat", cookie) == 200
    assert "film.jpeg" in shown_in_window(server, cookie)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click(timeout=PATIENCE)  # at the provider
    expect(page.get_by_text("Sign in to see films.")).to_be_visible(timeout=PATIENCE)
    assert status(server.port, f"/films/{film}", cookie) == 401, "the old cookie opens nothing"
    for ended in (cookie, ""):
        shown = shown_in_window(server, ended)
        assert "Sign in to see films." in shown
        assert "film.jpeg" not in shown
        assert film not in shown
    # The provider's pages load a style sheet that is not there.
    console_errors[:] = [each for each in console_errors if server.url in each]


def test_a_scientist_of_the_directory_sees_no_film(
    signed: tuple[ServerWithSignIn, str], page: Page, console_errors: list[str]
) -> None:
    server, film = signed
    page.goto(server.url)
    sign_in(page, "ada@hospital.example")
    expect(page.get_by_role("heading", name="Retrain")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("link", name="Worklist")).to_have_count(0)
    cookie = cookie_of(page)
    assert status(server.port, f"/films/{film}", cookie) == 403
    page.goto(f"{server.url}/film?film={film}")
    expect(page.get_by_text("You may not open films")).to_be_visible(timeout=PATIENCE)
    console_errors[:] = [each for each in console_errors if server.url in each]
