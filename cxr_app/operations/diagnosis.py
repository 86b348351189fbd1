"""The result of one check of an installation."""

from collections.abc import Callable
from dataclasses import dataclass

from cxr_app.errors import CxrError


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check.

    Parameters
    ----------
    name
        What was checked.
    problem
        What is wrong, and what to do; empty if nothing is.
    detail
        What was found; without names of patients.
    """

    name: str
    problem: str = ""
    detail: str = ""


def checked(name: str, check: Callable[[], str]) -> Diagnosis:
    """Make a check that returns what is wrong, or raises it."""
    return _made(name, lambda: Diagnosis(name, check()))


def looked_at(name: str, check: Callable[[], str]) -> Diagnosis:
    """Make a check that returns what was found, and raises what is wrong."""
    return _made(name, lambda: Diagnosis(name, detail=check()))


def _made(name: str, check: Callable[[], Diagnosis]) -> Diagnosis:
    try:
        return check()
    except (CxrError, OSError) as error:
        return Diagnosis(name, str(error))
    except Exception as error:  # noqa: BLE001 - the other checks are still to be made
        return Diagnosis(name, f"The check itself failed ({type(error).__name__}); see the log.")
