"""The page of connections: archives and what they are sent, echo and retry."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.audit.event import AuditKind
from cxr_app.destination import Destination
from cxr_app.settings import Settings
from cxr_app.ui import resources
from cxr_app.worklist import OutgoingState, Worklist
from tests.support.archives import Peer, listening
from tests.support.audited import events
from tests.support.web_archives import web_archive
from tests.support.worklists import page_text, scored, shown, table


@pytest.fixture
def destination(monkeypatch: pytest.MonkeyPatch) -> Destination:
    monkeypatch.setenv("CXR_RESULTS_TO", "A**B@archive:104")
    return Destination.parse("A**B@archive:104")


def connections(app: AppTest) -> AppTest:
    app.switch_page("views/connections.py").run()
    assert not app.exception
    return app


def fill(worklist: Worklist, destination: Destination) -> str:
    """Enter a scored film whose results wait."""
    since = worklist.outbox.open(destination)
    film = scored(
        worklist,
        0.9,
        patient_name="Quuxlove^Zebedea",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        sop_instance_uid="1.2.3.4",
        series_instance_uid="1.2.3.5",
        study_instance_uid="1.2.3.6",
    )
    assert worklist.outbox.fill(destination, since) == 2
    return film


def test_without_an_archive_the_page_says_how_to_name_one(app: AppTest) -> None:
    assert "CXR_RESULTS_TO" in page_text(connections(app.run()))


def test_what_waits_is_listed_without_the_patient(
    app: AppTest, worklist: Worklist, destination: Destination
) -> None:
    film = fill(worklist, destination)
    page = connections(app.run())
    assert sorted(shown(page, "object")) == ["picture", "report"]
    assert set(shown(page, "film")) == {film[:8]}
    assert "Quuxlove" not in page_text(page) + str(table(page))
    assert r"A\*\*B" in page_text(page)


def test_a_person_retries_what_was_given_up(
    app: AppTest, worklist: Worklist, destination: Destination
) -> None:
    fill(worklist, destination)
    for each in worklist.outbox.claim(destination.name):
        worklist.outbox.fail(each, "it refused (0xA700)", timedelta(0))
    page = connections(app.run())
    assert set(shown(page, "state")) == {"given up"}
    assert set(shown(page, "problem")) == {"it refused (0xA700)"}
    page.button(key="retry_outgoing").click().run()
    assert [each.state for each in worklist.outbox.newest()] == [OutgoingState.WAITING] * 2
    assert len(worklist.outbox.claim(destination.name)) == 2


def test_nothing_is_retried_for_an_archive_that_is_named_no_more(
    app: AppTest, worklist: Worklist
) -> None:
    entered = worklist.destinations.add("GONE@archive:104", "Weiss")
    fill(worklist, entered)
    page = connections(app.run())
    for each in worklist.outbox.claim(entered.name):
        worklist.outbox.fail(each, "it refused (0xA700)", timedelta(0))
    page = connections(page)
    stale = page.button(key="retry_outgoing")
    assert not stale.disabled
    worklist.destinations.remove(entered.name)
    stale.click().run()
    assert {each.state for each in worklist.outbox.newest()} == {OutgoingState.GIVEN_UP}
    assert connections(page).button(key="retry_outgoing").disabled


def test_the_list_can_be_narrowed_to_a_state(
    app: AppTest, worklist: Worklist, destination: Destination
) -> None:
    fill(worklist, destination)
    first, _ = worklist.outbox.claim(destination.name)
    worklist.outbox.sent(first)
    page = connections(app.run())
    page.segmented_control(key="outgoing_filter").set_value("sent").run()
    assert shown(page, "id") == [str(first.number)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_echo_tells_whether_the_archive_answers(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(Peer()) as peer:
        name = peer.destination().name
        monkeypatch.setenv("CXR_RESULTS_TO", name)
        worklist.outbox.open(peer.destination())
        page = connections(app.run())
        page.button(key=f"echo_{name}").click().run()
        assert "answers" in page.toast[0].value
    page.button(key=f"echo_{name}").click().run()
    assert "cannot be reached" in page.toast[0].value


def test_a_dicomweb_archive_is_tested_by_its_address(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_archive(lambda _: (200, {}), login="Bearer s3cret") as url:
        monkeypatch.setenv("CXR_RESULTS_TO", url)
        worklist.outbox.open(Destination.parse(url))
        page = connections(app.run())
        page.button(key=f"echo_{url}").click().run()
        assert "does not accept the login" in page.toast[0].value
        monkeypatch.setenv("CXR_RESULTS_LOGINS", f"{url.split('/')[2]}=s3cret")
        page.button(key=f"echo_{url}").click().run()
        assert "answers" in page.toast[0].value


@pytest.mark.parametrize(("button", "waiting"), [("resume", 2), ("resume_anew", 0)])
def test_a_person_decides_what_a_restored_worklist_sends(
    app: AppTest, worklist: Worklist, destination: Destination, button: str, waiting: int
) -> None:
    fill(worklist, destination)
    worklist.outbox._note(destination.name, held_at=datetime.now(UTC))
    page = connections(app.run())
    assert "held since" in page_text(page)
    assert worklist.outbox.claim(destination.name) == []
    page.button(key=f"{button}_{destination.name}").click().run()
    assert not page.exception
    assert "held since" not in page_text(page)
    assert len(worklist.outbox.claim(destination.name)) == waiting


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_archive_is_entered_tested_and_removed_on_the_page(
    app: AppTest, worklist: Worklist
) -> None:
    with listening(Peer()) as peer, web_archive(lambda _: (200, {})) as url:
        node = peer.destination().name
        page = connections(app.run())
        for written, name in ((f"{node}=sr", node), (url, url)):
            page.text_input(key="new_destination").set_value(written)
            page.button(key="add_destination").click().run()
            assert not page.exception
            worklist.outbox.open(Destination.parse(name))  # as the sender does
            page.run()
            page.button(key=f"echo_{name}").click().run()
            assert "answers" in page.toast[0].value
        assert [each.name for each in worklist.destinations.all()] == sorted([node, url])
    film = fill(worklist, Destination.parse(node))
    page.button(key=f"remove_{node}").click().run()
    assert not page.exception
    assert [each.name for each in worklist.destinations.all()] == [url]
    assert [each.state for each in worklist.outbox.of_film(film)] == [OutgoingState.GIVEN_UP] * 2
    resources.audit().flush()
    details = [each.detail for each in events(Settings.read().audit_folder, AuditKind.ACTION)]
    assert f"archive added: {node}=sr" in details
    assert f"archive removed: {node}" in details


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("archive", "no address of an archive"),
        ("https://scribe:secret@archive/rs", "without user, query or fragment"),
        ("A**B@archive:104=sr", "which decides what it gets"),
    ],
)
def test_what_is_no_address_is_refused_in_words_and_stays_to_be_mended(
    app: AppTest, worklist: Worklist, destination: Destination, written: str, words: str
) -> None:
    page = connections(app.run())
    page.text_input(key="new_destination").set_value(written)
    page.button(key="add_destination").click().run()
    assert any(words in each.value for each in page.error)
    assert page.text_input(key="new_destination").value == written
    assert worklist.destinations.all() == []
