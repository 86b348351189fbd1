"""Associations that wait look for work less often, the more there are."""

import time
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from cxr_app.pacs.idle_pace import SHORTEST_SECONDS, IdlePace
from tests.support.peers import free_port

PATIENCE = 20.0


def test_the_pause_follows_the_number_of_open_associations() -> None:
    pace, port, entity = IdlePace(), free_port(), AE()
    handlers: list[Any] = [
        (evt.EVT_CONN_OPEN, pace.on_connected),
        (evt.EVT_CONN_CLOSE, pace.on_closed),
    ]
    entity.add_supported_context(Verification)
    entity.add_requested_context(Verification)
    entity.maximum_associations = 100
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    assert server is not None
    opened = []
    for number in range(1, 21):
        opened.append(entity.associate("127.0.0.1", port))
        assert opened[-1].is_established
        assert pace.seconds == SHORTEST_SECONDS * number
    assert all(each.send_c_echo().Status == 0x0000 for each in opened)
    for each in opened[1:]:
        each.release()
    deadline = time.monotonic() + PATIENCE
    while pace.seconds > SHORTEST_SECONDS and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pace.seconds == SHORTEST_SECONDS
    opened[0].abort()
    server.shutdown()
