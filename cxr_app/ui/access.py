"""What the person at this page may do: asked before a page is shown and before an action is done.

Every function that changes or exports something for a page is `guarded`; a test finds those that
are not.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

import streamlit as st

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.errors import CxrError, NotPermittedError
from cxr_app.permissions import ALL_ROLES, Permission, Role, refusal
from cxr_app.ui import auditing, resources
from cxr_app.ui.auditing import Asker
from cxr_app.ui.identity import person_of
from cxr_app.worklist import Entry

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

ACTIONS: dict[str, Permission | Callable[..., Permission]] = {}
"""The permission that each guarded function needs, or how it follows from its arguments."""


def current_roles() -> frozenset[Role]:
    """Return the roles of the person at this page."""
    settings = resources.settings()
    if not settings.has_roles:
        return ALL_ROLES
    return person_of(settings, st.context.headers.to_dict(), st.context.cookies.to_dict()).roles


def may(permission: Permission) -> bool:
    """Check whether the person at this page may do something."""
    return bool(current_roles() & resources.settings().who_may(permission))


def require(permission: Permission) -> None:
    """Check that the person at this page may do something.

    Raises
    ------
    NotPermittedError
        If not; the message says which role is needed and who can give it.
    """
    if not may(permission):
        raise NotPermittedError(_refusal(permission))


def guarded(
    permission: Permission | Callable[..., Permission],
) -> Callable[[Callable[Given, Returned]], Callable[Given, Returned]]:
    """Let a function run only for a person who may do what it does.

    Parameters
    ----------
    permission
        What is needed, or a function that returns it for the arguments.
    """

    def guard(action: Callable[Given, Returned]) -> Callable[Given, Returned]:
        ACTIONS[f"{action.__module__}.{action.__qualname__}"] = permission

        @wraps(action)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
            needed = permission
            named = needed if isinstance(needed, Permission) else needed(*args, **kwargs)
            who, films = auditing.asker(), _films_of(action, args)  # before the action: `actions`
            with _noted(who, named, films, done=action.__name__.strip("_").replace("_", " ")):
                require(named)
                return action(*args, **kwargs)

        return run

    return guard


def exporting(
    permission: Permission, make: Callable[[], Returned], film: str = ""
) -> Callable[[], Returned]:
    """Return what makes a file for a download, if the person at this page may have it.

    The file is made later, when it is asked for, outside any page.
    """
    who, is_allowed = auditing.asker(), may(permission)
    refused = "" if is_allowed else _refusal(permission)

    def run() -> Returned:
        with _noted(who, permission, [film] if film else [], AuditKind.EXPORTED):
            if not is_allowed:
                raise NotPermittedError(refused)
            return make()

    return run


@contextmanager
def _noted(
    who: Asker,
    permission: Permission,
    films: Sequence[str],
    kind: AuditKind = AuditKind.ACTION,
    done: str = "",
) -> Iterator[None]:
    """Record in the audit how an action ended, once for each of its films.

    Parameters
    ----------
    done
        What the action does, where its permission allows more than one thing.
    """
    kind = AuditKind.UNMASKED if permission is Permission.UNMASK else kind
    detail = ": ".join(filter(None, (permission.value, done)))
    headers = auditing.headers_of(films) or {"": None}

    def note(kind: AuditKind, outcome: AuditOutcome) -> None:
        for film, header in headers.items():
            who.note(kind, header, outcome=outcome, film=film, detail=detail)

    try:
        yield
    except NotPermittedError:
        note(AuditKind.REFUSED, AuditOutcome.REFUSED)
        raise
    except CxrError:
        note(kind, AuditOutcome.FAILED)
        raise
    note(kind, AuditOutcome.DONE)


def _films_of(action: Callable[..., object], arguments: Sequence[object]) -> list[str]:
    """Return the ids of the films that an action is about: its first argument, by its name."""
    name = next(iter(signature(action).parameters), "")
    first = arguments[0] if arguments else None
    if isinstance(first, Entry):
        return [first.id]
    if name == "entry_id" and isinstance(first, str):
        return [first]
    if name == "entry_ids" and isinstance(first, Sequence):
        return [str(each) for each in first]
    return []


def _refusal(permission: Permission) -> str:
    return refusal(permission, current_roles(), resources.settings().who_may(permission))
