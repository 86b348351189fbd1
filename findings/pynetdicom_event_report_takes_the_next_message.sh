#!/usr/bin/env bash
# An N-EVENT-REPORT on an association that a peer has opened takes the peer's next request for its
# answer.
#
# pynetdicom 3.0.4. A provider of storage commitment may report on the association that it was asked
# on. `send_n_event_report` pauses the thread that serves the association, sends, and takes the next
# message off its queue, whichever that is.
# Expected: a C-STORE that arrives meanwhile is served, and the answer to the report is found.
# Seen: the C-STORE is "an invalid response", it is never answered, and the report counts as not
# accepted. The sender waits for its answer until its time is over, and aborts the association.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" \
  pynetdicom==3.0.4 pydicom==3.0.2
cat >"$folder/report.py" <<'PYTHON'
import sys
import threading
import time

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt

COMMITMENT, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
stored, reported = [], []


def on_action(event):
    threading.Thread(target=report, args=(event.assoc,)).start()
    return 0x0000, None


def report(association):
    time.sleep(0.2)
    status, _ = association.send_n_event_report(about(), 1, COMMITMENT, INSTANCE)
    reported.append(status.get("Status"))


def on_store(event):
    stored.append(event.request.AffectedSOPInstanceUID)
    return 0x0000


def about():
    ds = Dataset()
    ds.TransactionUID = generate_uid()
    return ds


def film():
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CR, generate_uid()
    ds.Rows = ds.Columns = 500
    ds.BitsAllocated = 16
    ds.PixelData = bytes(2 * 500 * 500)
    ds["PixelData"].VR = "OW"
    return ds


provider = AE()
provider.add_supported_context(COMMITMENT)
provider.add_supported_context(CR)
server = provider.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[(evt.EVT_N_ACTION, on_action), (evt.EVT_C_STORE, on_store)],
)
user = AE()
user.dimse_timeout = 10
user.add_requested_context(COMMITMENT)
user.add_requested_context(CR)
association = user.associate(
    *server.server_address,
    evt_handlers=[
        (evt.EVT_N_EVENT_REPORT, lambda _: (0x0000, None)),
        (evt.EVT_PDU_SENT, lambda _: time.sleep(0.05)),
    ],
)
association.send_n_action(about(), 1, COMMITMENT, INSTANCE)
answer = association.send_c_store(film())
association.abort()
server.shutdown()
print(f"film: served {len(stored)}, status {answer.get('Status')}; report: status {reported}")
sys.exit(not (not stored and "Status" not in answer))
PYTHON
PYTHONPATH="$folder/site" python3 "$folder/report.py"
