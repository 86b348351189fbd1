"""How files of tests are shared out between workers, so that a lost worker loses no test."""

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class SurvivingFileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Whole files to each worker, and what a lost worker had not run to another.

    The scheduler of pytest-xdist 3.8 hands on the finished files of a lost worker too. A worker
    that is given one has nothing to report, so it is never given more, and the run never ends.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Return the test that was running in a worker that ended, its finished files left out."""
        work = self.assigned_work[node]
        for path in [path for path, tests in work.items() if all(tests.values())]:
            del work[path]
        running: str | None = super().remove_node(node)
        return running


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: object
) -> SurvivingFileScheduling | None:
    """Return the scheduler of ``--dist loadfile``."""
    return SurvivingFileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
