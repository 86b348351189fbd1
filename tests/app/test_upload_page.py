"""The upload page: every file is kept and entered, and its result is shown."""

from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from cxr_app.film_store import FilmStore
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.settings import Settings
from cxr_app.ui.server.upload_spool import SpooledFile, UploadSpool
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query, Worklist
from tests.support.factories import dicom_bytes
from tests.support.films import jpeg
from tests.support.worklists import page_text, shown

HOSTILE = "**bold** <img src=x onerror=alert(1)>.dcm"


@pytest.fixture
def upload(app: AppTest) -> AppTest:
    """The upload page."""
    app.run()
    app.switch_page("views/upload.py").run()
    assert not app.exception
    return app


def send(app: AppTest, *files: tuple[str, bytes]) -> None:
    """Send files at once, and wait until they are received."""
    box = app.file_uploader(key=f"films_{app.session_state['upload_turn']}")
    for name, data in files:
        box.upload(name, data, "application/octet-stream")
    app.run()
    queue: UploadQueue = app.session_state["upload_queue"]
    deadline = monotonic() + 30
    while (now := queue.status()).waiting and not now.problem:
        assert monotonic() < deadline
        sleep(0.01)
    app.run()
    assert not app.exception


def progress(app: AppTest) -> str:
    """Return the text of the progress bar."""
    return str(app.get("progress")[0].proto.text)


def test_the_page_says_what_it_is_for(upload: AppTest) -> None:
    assert "added to the worklist" in page_text(upload)


def test_what_is_sent_is_kept_and_entered_and_the_box_is_emptied(
    upload: AppTest, worklist: Worklist
) -> None:
    films = [("a.dcm", dicom_bytes()), ("b.jpeg", jpeg(1)), ("no film.txt", b"hello"), ("c", b"")]
    send(upload, *films)
    assert upload.session_state["upload_turn"] == 1
    assert upload.file_uploader(key="films_1").value == []
    store = FilmStore(Settings.read().films_dir)
    entries = worklist.page(Query())
    assert {store.read(entry.sha256) for entry in entries} == {data for _, data in films}
    assert {entry.source for entry in entries} == {name for name, _ in films}
    assert shown(upload, "source") == [name for name, _ in films]
    assert set(shown(upload, "state")) == {"being scored"}
    assert progress(upload) == "0 of 4 films done."


def test_each_film_says_what_became_of_it(upload: AppTest, worklist: Worklist) -> None:
    send(upload, ("text.dcm", b"hello"), ("later.dcm", b"later"))
    reason = "The content is neither DICOM, JPEG nor PNG. Send the film itself."
    digest = sha256(b"hello").hexdigest()
    worklist.record(Outcome(digest, ScoringState.FAILED, Priority.MEDIUM, reason=reason))
    upload.run()
    assert shown(upload, "state") == ["needs a person", "being scored"]
    assert shown(upload, "remark") == [reason, ""]
    assert progress(upload) == "1 of 2 films done. 1 needs a person."


def test_a_file_that_the_server_no_longer_has_is_named(
    upload: AppTest, tmp_path: Path, worklist: Worklist
) -> None:
    gone = SpooledFile("gone.dcm", "window", tmp_path / "gone", 4, UploadSpool("", tmp_path))
    upload.session_state["upload_queue"].take([gone])
    send(upload, ("kept.dcm", b"film"))
    assert worklist.count(Query()) == 1
    (expander,) = [each for each in upload.expander if "no longer" in each.label]
    assert expander.label == (
        "1 file is no longer on the server and could not be received: upload it again."
    )
    assert expander.code[0].value == "gone.dcm"


def test_the_same_film_twice_is_one_entry_and_reported_as_such(
    upload: AppTest, worklist: Worklist
) -> None:
    worklist.receive(sha256(b"film").hexdigest(), "first.dcm", Path("/kept"))
    send(upload, ("second.dcm", b"film"), ("third.dcm", b"film"))
    assert worklist.count(Query()) == 1
    assert shown(upload, "remark") == ["Already in the worklist."]
    assert progress(upload) == "0 of 1 film done. 1 already in the worklist."
    labels = [each.label for each in upload.expander]
    assert "1 file has a film that had arrived in other files: each film is listed once." in labels
    assert "third.dcm" in upload.code[0].value


def test_a_later_upload_is_listed_above_an_earlier_one(upload: AppTest) -> None:
    send(upload, ("1", b"1"), ("2", b"2"))
    send(upload, ("3", b"3"), ("4", b"4"))
    assert shown(upload, "source") == ["3", "4", "1", "2"]


def test_two_hundred_films_are_entered(upload: AppTest, worklist: Worklist) -> None:
    send(upload, *((f"{number}.dcm", b"%d" % number) for number in range(200)))
    assert worklist.count(Query()) == 200
    assert len(shown(upload)) == 200


def test_a_hostile_file_name_is_only_text(upload: AppTest) -> None:
    send(upload, (HOSTILE, b"x"))
    assert "onerror" not in page_text(upload)
    assert shown(upload, "source")[0].startswith("**bold** <img")


def test_a_problem_is_shown_with_what_to_do_and_can_be_tried_again(
    upload: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "data" / "films").write_bytes(b"a file where the folder should be")
    send(upload, ("a.dcm", b"a"))
    assert "could not be kept" in upload.error[0].value.replace("\\", "")
    assert worklist.count(Query()) == 0
    (tmp_path / "data" / "films").unlink()
    upload.button(key="try_again").click().run()
    sleep(0.5)
    upload.run()
    assert worklist.count(Query()) == 1
    assert not upload.error
