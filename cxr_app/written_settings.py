"""What holds for every setting as it is written: empty ones, blank ones, and unknown names."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

PREFIX = "CXR_"
SEPARATORS = ",;| \t\r\n"
SIMILAR = 0.7
"""Least similarity of a mistyped name to a setting's, in [0, 1]."""
EMPTY_MEANS_NONE = frozenset({"drift_alarms", "proxy_addresses", "unmask_roles"})
"""Lists that a site may empty; any other setting that is empty has its default."""

SAFEGUARDS = frozenset({"mask_identities", "promotion_by_two", "sign_in"})
"""Settings whose default protects nobody: who writes one means something, so it is not empty."""


class WrittenSettings(BaseSettings):
    """Settings of which each means what was written."""

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.field_name or ""
        if value != "" or name in EMPTY_MEANS_NONE:
            return value
        if name in SAFEGUARDS:
            raise PydanticCustomError("empty", "it is empty; write a value, or leave it unset")
        return cls.model_fields[name].default

    @field_validator("*", mode="before")
    @classmethod
    def _says_something(cls, value: Any) -> Any:
        if isinstance(value, str) and value and not value.strip(SEPARATORS):
            raise PydanticCustomError(
                "blank", "it has only spaces or separators; write a value, or leave it empty"
            )
        return value

    @classmethod
    def variables(cls) -> list[str]:
        """Return the names of the environment variables that are read."""
        return [f"{PREFIX}{name.upper()}" for name in cls.model_fields]


def unknown_variables(known: Iterable[str], environment: Iterable[str]) -> dict[str, str]:
    """Return the variables that are named like a setting and are none, with the most similar one.

    Parameters
    ----------
    known
        Names of the settings' variables.
    environment
        Names of all variables.

    Returns
    -------
    dict of str to str
        The similar one is empty if there is none: the variable may be another program's.
    """
    names = {each.removeprefix(PREFIX): each for each in sorted(known)}
    unknown = {
        each: name.removeprefix(PREFIX)
        for each in environment
        if (name := each.upper()).startswith(PREFIX) and name not in names.values()
    }
    return {each: _nearest(name, names) for each, name in unknown.items()}


def _nearest(name: str, names: Mapping[str, str]) -> str:
    return next((names[each] for each in get_close_matches(name, names, 1, SIMILAR)), "")


def in_words(variable: str, similar: str) -> str:
    """Return a sentence on a variable that is no setting."""
    ending = f" Did you mean {similar}?" if similar else ""
    return f"{variable} is no setting of this program and has no effect.{ending}"
