"""What a server is made of is brought at once, and then left alone by the garbage collector.

Streamlit has the collector go through all there is after each drawing of a page, and nothing else
runs meanwhile. With PyTorch in memory that took a third of a second for every key that a reader
pressed. What is there once the network is loaded stays anyway: it is set aside, and a round takes
a few milliseconds.
"""

import asyncio
import gc
from importlib import import_module

from cxr_app.ui import resources

LOOK_SECONDS = 0.2
LATE = "pandas"
"""What Streamlit brings only when the first page is drawn, while its reader waits."""


async def freeze_after_start() -> None:
    """Wait until the network is loaded, or cannot be; then set aside what is in memory."""
    await asyncio.to_thread(import_module, LATE)
    while resources.engine().status().state == "loading":
        await asyncio.sleep(LOOK_SECONDS)
    gc.collect()
    gc.freeze()
