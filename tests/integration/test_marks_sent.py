"""Readers' marks are in the picture that is sent after reading, and a repeat of it is the same."""

from datetime import timedelta
from pathlib import Path

import pytest

from cxr_app.destination import ResultKind
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import AnnotationKind, Measurement, Worklist
from tests.support.archives import Peer, listening
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.scored_films import score_film
from tests.support.site import Clock

LINE = Measurement(AnnotationKind.LENGTH, ((0.1, 0.5), (0.9, 0.5)), 1.0, "mm", "calibrated")
KEY = Measurement(AnnotationKind.KEY_IMAGE, ((0.2, 0.2), (0.8, 0.8)), 0.36, "")
MINUTE = timedelta(minutes=1)
GREEN = [126, 231, 135]


@pytest.mark.parametrize("after_reading", [True, False])
def test_what_was_marked_before_reading_is_sent(after_reading: bool, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", results_after_reading=after_reading)
    clock = Clock()
    worklist = Worklist.open(settings.worklist_url, clock)
    marks = worklist.room.annotations
    with listening(Peer(status=[0xA700])) as peer:
        sender = Sender(settings, worklist, peer.destination(ResultKind.PICTURE))
        data = dicom_bytes(radiograph_dataset(film_pixels(200, 200)))
        film = score_film(settings, worklist, data)
        if not after_reading:
            sender.send_once()
            clock.now += MINUTE
        marks.add(film, "Ada", LINE)
        worklist.reviews.add(film, "Ada", True)
        if after_reading:
            sender.send_once()
        assert not peer.received, "the archive refuses it at first"
        clock.now += MINUTE
        marks.add(film, "Ada", KEY)
        clock.now += 60 * MINUTE
        sender.send_once()
    worklist.close()
    [picture] = peer.received
    green = (picture.pixel_array == GREEN).all(axis=2)
    assert ("readers' marks" in picture.DerivationDescription) is after_reading
    assert green.any() == after_reading
    assert green.sum(axis=0).max() < 30, "no frame of a key image that was marked later"
