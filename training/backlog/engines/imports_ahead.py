"""The imports of scoring processes, begun while this process does its own.

Both take seconds, in which the films wait.
"""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext

PRELOADED = [
    "training.backlog.engines.scoring_worker",
    "cxr_app.model.compiled_classifier",
    "cxr_app.imaging.raster",
    "cxr_app.imaging.dicom",
]
"""What scores, and what it imports only when it first needs it."""


def begin() -> None:
    """Start the process that the local engine's processes come from; it imports for all of them."""
    scoring_processes()
    forkserver.ensure_running()


def scoring_processes() -> ForkServerContext:
    """Return the context in which the local engine starts its processes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
