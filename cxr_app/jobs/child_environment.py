"""Environment of the processes that the server starts."""

import os

from cxr_app.jobs.kinds import job_threads
from cxr_app.settings import Settings


def child_environment(settings: Settings) -> dict[str, str]:
    """Return a child's environment: it has the settings, so that no password is in a command."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CXR_")}
    values = settings.model_dump(mode="json", exclude_none=True)
    return (
        own
        | {"OMP_NUM_THREADS": str(job_threads())}
        | {f"CXR_{name.upper()}": str(value) for name, value in values.items()}
    )
