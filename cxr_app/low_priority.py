"""Work that nobody waits for yields the processor to what readers wait for.

It takes no longer while nobody reads: only who competes for a core is asked to wait.
"""

import os
import sys

NICENESS = 10
"""Of ten parts of a core that both want, a reader's page gets nine."""


def yield_to_readers() -> None:
    """Lower the priority of this thread, and of all threads and processes that it starts.

    Only Linux has a priority for each thread; elsewhere nothing changes.

    References
    ----------
    nice(2), "C library/kernel differences".
    """
    if sys.platform == "linux":
        os.nice(NICENESS)
