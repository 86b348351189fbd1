"""A process of the server reads the settings that the server has."""

import pytest

from cxr_app.jobs.child_environment import child_environment
from cxr_app.settings import Settings


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_a_job_has_the_settings_of_the_server(
    monkeypatch: pytest.MonkeyPatch, prevalence: float | None
) -> None:
    settings = Settings(prevalence=prevalence)
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings.read().prevalence == prevalence
