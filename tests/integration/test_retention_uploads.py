"""Films that are uploaded again after, or during, their deletion."""

from pathlib import Path

from cxr_app.film_store import FilmStore
from cxr_app.scoring_process import ScoringProcess
from cxr_app.ui.upload_queue import UploadQueue
from cxr_app.worklist import Query
from tests.support.site import DAY, DAYS, PLANTED, Site


def test_a_film_sent_again_comes_back_to_be_scored_and_read(site: Site) -> None:
    film = site.read_film(b"film")
    site.days_pass()
    assert site.upload(b"film", "again.dcm") == film
    (waiting,) = site.worklist.next_received()
    assert (waiting.id, waiting.source, waiting.received_at) == (film, "again.dcm", site.clock.now)
    assert (waiting.film_deleted_at, waiting.read_at) == (None, None)
    assert site.days_pass() == 0
    site.score(film)
    entry = site.worklist.entry(film)
    assert (entry.model_version, entry.header and entry.header.patient_id) == (
        "model-1",
        PLANTED["patient_id"],
    )
    assert len(site.worklist.scores(film)) == 1
    assert site.worklist.count(Query(text="zebedea")) == 1
    assert site.is_kept(film)


class Sent:
    """A file from the browser."""

    name = "again.dcm"

    def getvalue(self) -> bytes:
        return b"film"


def test_a_film_sent_while_it_is_deleted_is_kept(site: Site) -> None:
    """The store still has it when it is kept, and no longer when it is entered."""
    film = site.read_film(b"film")
    site.days_pass(DAYS + 1)
    site.clock.now += DAY

    class Slow(FilmStore):
        def keep(self, data: bytes, sha256: str = "") -> str:
            sha256 = super().keep(data)
            site.retention.sweep()
            return sha256

    class Deaf(ScoringProcess):
        def __init__(self) -> None:
            """Have no process."""

        def wake(self) -> None:
            """Hear nothing."""

    queue = UploadQueue(site.worklist, Slow(site.films.root), Deaf())
    queue.take([Sent()])
    assert queue._thread is not None
    queue._thread.join()
    assert site.deletions() == 1
    assert site.is_kept(film)
    assert site.worklist.entry(film).film_deleted_at is None


def test_a_film_of_a_backlog_that_is_uploaded_too_is_kept_as_one(
    site: Site, tmp_path: Path
) -> None:
    """Otherwise its copy would stay forever: the entry would name the film elsewhere."""
    elsewhere = tmp_path / "backlog.dcm"
    elsewhere.write_bytes(b"film")
    sha256 = site.films.keep(b"film")
    film, _ = site.worklist.receive(sha256, "backlog.dcm", elsewhere)
    assert site.upload(b"film") == film
    assert site.worklist.entry(film).source == "backlog.dcm"
    site.worklist.mark_read(site.score(film), "Weiss")
    assert site.days_pass() == 1
    assert elsewhere.exists()
    assert not site.films.has(sha256)
