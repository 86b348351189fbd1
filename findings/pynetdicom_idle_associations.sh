#!/usr/bin/env bash
# A hundred DICOM associations that wait take most of a core with pynetdicom.
#
# pynetdicom 3.0.4. A peer may keep an association open and send nothing, and archives do. Each
# association has two threads, and each of these looks for work after a pause of 1 ms, although
# the socket could be waited for.
# Expected: an association that waits costs about nothing, as with a thread that blocks in `recv`.
# Seen: one costs a few per cent of a core, a hundred take most of one, and with it the time of
# those that send. The pause of one of the two threads is `dul._run_loop_delay`; the other's is fixed.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" \
  pynetdicom==3.0.4 pydicom==3.0.2
cat >"$folder/wait.py" <<'PYTHON'
import multiprocessing
import resource
import sys
import time

from pynetdicom import AE
from pynetdicom.sop_class import Verification

SECONDS = 5.0


def peer(port, count):
    """Open associations and send nothing."""
    entity = AE()
    entity.add_requested_context(Verification)
    opened = [entity.associate("127.0.0.1", port) for _ in range(count)]
    assert all(each.is_established for each in opened)
    ready.set()
    done.wait()


def spent():
    """Return the seconds of the processor that this process has taken."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


start = multiprocessing.get_context("fork")
ready, done = start.Event(), start.Event()
entity = AE()
entity.maximum_associations = 200
entity.add_supported_context(Verification)
shares = []
for count in (0, 100):
    server = None
    ready.clear()
    done.clear()
    queue = start.SimpleQueue()
    process = start.Process(target=lambda n: peer(queue.get(), n), args=(count,), daemon=True)
    process.start()  # before this process has threads
    server = entity.start_server(("127.0.0.1", 0), block=False)
    queue.put(server.server_address[1])
    ready.wait()
    before = spent()
    time.sleep(SECONDS)
    shares.append((spent() - before) / SECONDS)
    done.set()
    process.join()
    server.shutdown()
print(f"idle associations: none {shares[0]:.0%}, a hundred {shares[1]:.0%} of a core")
sys.exit(not (shares[0] < 0.1 and shares[1] > 0.3))
PYTHON
PYTHONPATH="$folder/site" python3 "$folder/wait.py"
