"""Archives that tests send results to: pynetdicom peers with bad habits."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt

from cxr_app.destination import Destination, ResultKind
from cxr_app.pacs.association import VERIFICATION
from cxr_app.pacs.film_archive import FIND, GET, MOVE


@dataclass
class Peer:
    """An archive that keeps what it acknowledges.

    Parameters
    ----------
    status
        What it answers to the next stores; then 0x0000.
    aborts, sleeps
        How many stores it aborts, and how many seconds it sleeps before each answer.
    """

    port: int = 0
    status: list[int] = field(default_factory=list)
    aborts: int = 0
    sleeps: float = 0.0
    received: list[Any] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def destination(self, *kinds: ResultKind) -> Destination:
        """Its address, and what it is to get."""
        return Destination("PEER", "127.0.0.1", self.port, kinds or (ResultKind.REPORT,))

    @property
    def uids(self) -> list[str]:
        """The instances that it was sent and acknowledged, in order, each as often as it came."""
        return [str(dataset.SOPInstanceUID) for dataset in self.received]

    def store(self, event: evt.Event) -> int:
        """Answer a C-STORE."""
        with self.lock:
            if self.aborts:
                self.aborts -= 1
                event.assoc.abort()
                return 0xC000
            time.sleep(self.sleeps)
            status = self.status.pop(0) if self.status else 0x0000
            if status == 0x0000 or status >> 12 == 0xB:
                dataset = event.dataset
                dataset.file_meta = event.file_meta
                self.received.append(dataset)
            return status


@contextmanager
def listening(peer: Peer, classes: Sequence[str] = ()) -> Iterator[Peer]:
    """Let a peer listen on a free port of this machine, or on its own again."""
    entity = AE("PEER")
    for uid in classes or [str(each.abstract_syntax) for each in AllStoragePresentationContexts]:
        entity.add_supported_context(uid)
    entity.add_supported_context(VERIFICATION)
    entity.network_timeout = 30
    server = entity.start_server(
        ("127.0.0.1", peer.port), block=False, evt_handlers=[(evt.EVT_C_STORE, peer.store)]
    )
    assert server is not None
    peer.port = server.server_address[1]
    try:
        yield peer
    finally:
        server.shutdown()


@contextmanager
def holding(film: Dataset) -> Iterator[Destination]:
    """Run an archive that finds and sends one film."""

    def find(event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        answer = Dataset()
        for element in event.identifier:
            if element.keyword in film:
                answer.add(film[element.keyword])
        answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
        yield 0xFF00, answer

    def get(_: evt.Event) -> Iterator[Any]:
        yield 1
        yield 0xFF00, film

    entity = AE("ARCHIVE")
    for model in (FIND, GET, MOVE):
        entity.add_supported_context(model)
    entity.add_supported_context(film.SOPClassUID, scu_role=True, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get)],
    )
    assert server is not None
    try:
        yield Destination("ARCHIVE", "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()
