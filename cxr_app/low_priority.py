"""Work that nobody waits for yields the processor to what readers wait for.

It takes no longer while nobody reads: only who competes for a core is asked to wait.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

NICENESS = 10
"""Of ten parts of a core that both want, a reader's page gets nine."""


def yield_to_readers() -> None:
    """Lower the priority of this process, in all threads that it has and will have.

    Only Linux has a priority for each thread; elsewhere nothing changes.

    References
    ----------
    nice(2), "C library/kernel differences".
    """
    if sys.platform == "linux":
        for thread in (int(each.name) for each in Path("/proc/self/task").iterdir()):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                lowered = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
                os.setpriority(os.PRIO_PROCESS, thread, lowered)
