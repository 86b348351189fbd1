"""A wrong clock deletes no film: neither by a jump, nor at the first sweep, nor many at once."""

from datetime import timedelta

import pytest

from cxr_app.retention import Retention
from tests.support.site import DAY, DAYS, Site

NAME = "Admin"


@pytest.mark.parametrize("days", [400, 1.1, -1.1, -400])
@pytest.mark.parametrize("swept_before", [True, False])
def test_a_clock_that_jumps_deletes_nothing_until_a_person_confirms_it(
    site: Site, days: float, swept_before: bool
) -> None:
    site.clock.now += 1000 * DAY
    films = [site.read_film(b"%d" % number) for number in range(4)]
    if swept_before:
        site.retention.sweep()
    site.clock.now += timedelta(days=days)
    status = site.retention.status()
    assert status
    assert status.has_stopped
    for _ in range(30):
        assert site.retention.sweep() == 0
        site.clock.now += timedelta(hours=1)
    assert all(map(site.is_kept, films))
    assert site.worklist.deletions.marked() == 0


def test_a_clock_that_is_put_right_needs_no_confirmation(site: Site) -> None:
    film = site.read_film(b"film")
    site.retention.sweep()
    site.clock.now += 400 * DAY
    site.retention.sweep()
    site.clock.now -= 400 * DAY
    assert site.days_pass(DAYS + 1) == 0
    assert site.is_kept(film)
    assert site.days_pass(1) == 1


def test_a_confirmed_clock_marks_first_and_deletes_a_day_later(site: Site) -> None:
    film = site.read_film(b"film")
    site.clock.now += 400 * DAY
    site.retention.confirm_clock(NAME)
    assert site.retention.sweep() == 0
    status = site.retention.status()
    assert status
    assert (status.marked, status.has_stopped) == (1, False)
    assert site.is_kept(film)
    assert site.days_pass(1) == 1


def test_marks_of_a_wrong_clock_count_for_nothing(site: Site) -> None:
    """Even if a person confirms a wrong clock, and the right one later."""
    film = site.read_film(b"film")
    for days in (400, -400):
        site.clock.now += days * DAY
        site.retention.confirm_clock(NAME)
        site.retention.sweep()
    assert site.worklist.deletions.marked() == 0
    assert site.days_pass(DAYS + 1) == 0
    assert site.is_kept(film)


def test_a_film_that_is_unread_again_loses_its_mark(site: Site) -> None:
    film = site.read_film(b"film")
    site.days_pass(DAYS + 1)
    assert site.worklist.deletions.marked() == 1
    site.worklist.mark_read(film, read=False)
    assert site.days_pass(1) == 0
    assert site.worklist.deletions.marked() == 0
    site.worklist.mark_read(film, "Weiss")
    assert site.days_pass(DAYS + 1) == 0
    assert site.days_pass(1) == 1


@pytest.mark.parametrize(("share", "most"), [(0.1, 1), (0.25, 2), (0.5, 4), (1, 8)])
def test_one_sweep_deletes_no_more_than_its_share(site: Site, share: float, most: int) -> None:
    for number in range(8):
        site.read_film(b"%d" % number)
    settings = site.settings.model_copy(update={"retention_share": share})
    site.retention = Retention(settings, site.worklist, site.clock)
    site.days_pass(DAYS + 1)
    assert site.days_pass(1) == most
    while site.retention.sweep():
        pass
    assert site.deletions() == 8


def test_a_film_that_cannot_be_deleted_uses_up_no_share(site: Site) -> None:
    stuck = site.worklist.entry(site.read_film(b"stuck")).path
    stuck.unlink()
    stuck.mkdir()
    site.clock.now += timedelta(minutes=1)
    free = site.read_film(b"free")
    settings = site.settings.model_copy(update={"retention_share": 0.1})
    site.retention = Retention(settings, site.worklist, site.clock)
    assert site.days_pass() == 1
    assert not site.is_kept(free)


def test_a_stop_is_told_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.read_film(b"film")
    site.clock.now += 400 * DAY
    site.retention.sweep()
    assert "Check the clock, then confirm it on the Backlog page." in caplog.text
