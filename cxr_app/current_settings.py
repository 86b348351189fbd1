"""The settings as the environment has them now."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cxr_app.settings import Settings

_VARIABLES: Mapping[Any, Any] = getattr(os.environ, "_data", os.environ)
"""The environment as the system has it: compared a hundred times faster than what it decodes to."""
_last: list[tuple[Mapping[Any, Any], Settings | None]] = [({}, None)]


def current_settings() -> Settings:
    """Return the settings, read again only if the environment has changed.

    A page calls this nearly two hundred times in each script run.

    Raises
    ------
    SettingsError
        As `Settings.read`.
    """
    variables, known = _last[0]
    if known is None or variables != _VARIABLES:
        variables = dict(_VARIABLES)
        own = (each for each in os.environ.items() if each[0].upper().startswith("CXR_"))
        known = _read(frozenset(own))
        _last[0] = variables, known
    return known


@lru_cache(maxsize=1)
def _read(_environment: frozenset[tuple[str, str]]) -> Settings:
    return Settings.read()
