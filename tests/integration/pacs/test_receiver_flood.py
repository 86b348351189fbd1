"""Floods: of objects that are no films, and of associations; all are answered, no film is lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from pydicom import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)
from pynetdicom import AE, evt
from pynetdicom.association import Association

from cxr_app.pacs.idle_wait import on_connected
from cxr_app.pacs.store_answers import NO_ROOM
from cxr_app.worklist import Query, Worklist
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.peers import ReceiverUnderTest, receiving

KINDS = (BasicTextSRStorage, CTImageStorage, EncapsulatedPDFStorage)
WARM, FLOOD = 60, 600
MOST_GROWTH_MB = 30
"""Far less than the flood itself, which is 180 MB."""
OBJECT_BYTES = 300_000
ASSOCIATIONS, TRIES = 100, 5
IDLE_SECONDS, MOST_OF_A_CORE = 3.0, 0.6
"""Where each looks for work a thousand times a second, they take a whole core."""


def flood(receiver: ReceiverUnderTest, number: int) -> set[int]:
    """Send objects over one association; return the statuses."""
    entity = AE("FLOOD")
    for kind in KINDS:
        entity.add_requested_context(kind, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", receiver.port)
    assert association.is_established
    found = set()
    for count in range(number):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = KINDS[count % len(KINDS)], generate_uid()
        ds.PatientName = "Planted^Name"
        ds.EncapsulatedDocument = bytes(OBJECT_BYTES)
        found.add(int(association.send_c_store(_with_meta(ds)).Status))
    association.release()
    return found


def _with_meta(ds: Dataset) -> Dataset:
    ds.ensure_file_meta()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def resident_mb(receiver: ReceiverUnderTest) -> float:
    lines = Path(f"/proc/{receiver.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def cpu_seconds(receiver: ReceiverUnderTest) -> float:
    times = psutil.Process(receiver.process.pid).cpu_times()
    return float(times.user + times.system)


def test_a_flood_of_other_objects_leaves_no_trace(tmp_path: Path) -> None:
    with receiving(tmp_path / "data") as receiver:
        assert flood(receiver, WARM) == {0x0122}
        before = resident_mb(receiver)
        assert flood(receiver, FLOOD) == {0x0122}
        assert resident_mb(receiver) - before < MOST_GROWTH_MB
        film = dicom_bytes(radiograph_dataset(film_pixels(64, 64)))
        assert receiver.store(film)[0] == 0x0000
        log = receiver.log.read_text()
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'data' / 'worklist.sqlite'}")
    assert worklist.count(Query(state="all")) == 1
    peers = {peer.ae_title: peer.counts for peer in worklist.peers.all()}
    worklist.close()
    assert peers["FLOOD"].refused == WARM + FLOOD
    assert "Planted" not in log
    kept = [path for path in (tmp_path / "data" / "films").rglob("*") if path.is_file()]
    assert len(kept) == 1


def test_a_hundred_associations_at_once_each_leave_their_film(tmp_path: Path) -> None:
    entity = AE("MANY")
    entity.add_requested_context(ComputedRadiographyImageStorage, ExplicitVRLittleEndian)
    handlers: list[Any] = [(evt.EVT_CONN_OPEN, on_connected)]
    films = [radiograph_dataset(film_pixels(64, 64)) for _ in range(ASSOCIATIONS)]

    def opened(port: int) -> Association:
        return entity.associate("127.0.0.1", port, evt_handlers=handlers)

    def store(association: Association, film: Dataset) -> int:
        """Send a film as a modality does: again, if the receiver is short of something."""
        for _ in range(TRIES):
            status = int(association.send_c_store(_with_meta(film)).Status)
            if status != NO_ROOM.status:
                break
        return status

    with receiving(tmp_path / "data") as receiver, ThreadPoolExecutor(ASSOCIATIONS) as pool:
        all_open = list(pool.map(opened, [receiver.port] * ASSOCIATIONS))
        assert all(each.is_established for each in all_open)
        before = cpu_seconds(receiver)
        time.sleep(IDLE_SECONDS)
        assert cpu_seconds(receiver) - before < MOST_OF_A_CORE * IDLE_SECONDS
        assert set(pool.map(store, all_open, films)) == {0x0000}
        for each in all_open:
            each.release()
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'data' / 'worklist.sqlite'}")
    entries = worklist.count(Query(state="all"))
    worklist.close()
    assert entries == ASSOCIATIONS
