"""Import everything at start-up, then `gc.freeze()` it, so that later collections skip it.

Streamlit runs a full collection after each script run, which blocks everything else: 0.15 s for
every key that a reader pressed. Objects that exist at the end of the start, of which the network
takes the longest part, stay anyway; after freezing them, a collection takes a few milliseconds.
"""

import asyncio
import gc
from importlib import import_module

from cxr_app.ui import resources

CHECK_SECONDS = 0.2
LATE = "pandas"
"""Module that Streamlit imports only while drawing the first page."""


async def freeze_after_start() -> None:
    """Wait until the network is loaded or has failed to load, then freeze what is in memory."""
    await asyncio.to_thread(import_module, LATE)
    while resources.engine().status().state == "loading":
        await asyncio.sleep(CHECK_SECONDS)
    gc.collect()
    gc.freeze()
