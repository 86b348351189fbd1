"""What the person at this page may do: asked before a page is shown and before an action is done.

Every function that changes or exports something for a page is `guarded`; a test finds those that
are not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
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
            who, film = auditing.asker(), _film_of(args)  # before the action: see `actions`
            with _noted(who, named, film):
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
        with _noted(who, permission, film, AuditKind.EXPORTED):
            if not is_allowed:
                raise NotPermittedError(refused)
            return make()

    return run


@contextmanager
def _noted(
    who: Asker, permission: Permission, film: str, kind: AuditKind = AuditKind.ACTION
) -> Iterator[None]:
    """Record in the audit how an action ended."""
    kind = AuditKind.UNMASKED if permission is Permission.UNMASK else kind
    facts = {"film": film, "detail": permission.value}
    header = auditing.header_of(film) if film else None
    try:
        yield
    except NotPermittedError:
        who.note(AuditKind.REFUSED, header, outcome=AuditOutcome.REFUSED, **facts)
        raise
    except CxrError:
        who.note(kind, header, outcome=AuditOutcome.FAILED, **facts)
        raise
    who.note(kind, header, **facts)


def _film_of(arguments: tuple[object, ...]) -> str:
    """Return the id of the film that an action is about; empty if it is about none."""
    first = arguments[0] if arguments else None
    return first.id if isinstance(first, Entry) else ""


def _refusal(permission: Permission) -> str:
    return refusal(permission, current_roles(), resources.settings().who_may(permission))
