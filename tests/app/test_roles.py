"""Every page and every action, walked by every role."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.context import StreamlitHeaders
from streamlit.testing.v1 import AppTest

from cxr_app.errors import NotPermittedError
from cxr_app.permissions import WHO_MAY, Permission, Role
from cxr_app.settings import PROJECT
from cxr_app.ui import access, masking
from cxr_app.ui.pages import PAGES
from cxr_app.worklist import Worklist
from tests.support.worklists import page_text, scored, table

HEADERS = {"CXR_READER_HEADER": "X-User", "CXR_GROUPS_HEADER": "X-Groups"}

for path in (PROJECT / "cxr_app" / "ui" / "panels").glob("*.py"):
    importlib.import_module(f"cxr_app.ui.panels.{path.stem}")  # registers its actions


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch, worklist: Worklist) -> Callable[..., None]:
    """Sign a person in by a proxy that names groups."""
    monkeypatch.setenv("CXR_SIGN_IN", "proxy")
    for name, value in HEADERS.items():
        monkeypatch.setenv(name, value)
    for role in Role:
        monkeypatch.setenv(f"CXR_{role.upper()}_GROUPS", f"the {role}s")

    def sign(*roles: Role) -> None:
        groups = ",".join(f"the {role}s" for role in roles)
        sent = StreamlitHeaders([("X-User", "Weiss"), ("X-Groups", groups)])
        monkeypatch.setattr(type(st.context), "headers", property(lambda _: sent))

    return sign


@pytest.mark.parametrize("role", Role)
def test_pages_are_shown_to_their_roles_alone(
    app: AppTest, sign_in: Callable[..., None], role: Role
) -> None:
    sign_in(role)
    app.run()
    has_page = any(role in WHO_MAY[entry.needs] for entry in PAGES)
    assert ("You may not" in page_text(app)) != has_page
    for entry in PAGES:
        app.switch_page(f"views/{entry.file}.py").run()
        assert not app.exception
        refused = f"You may not {entry.needs}" in page_text(app)
        assert refused == (role not in WHO_MAY[entry.needs]), entry.file


def test_somebody_without_a_role_is_told_what_to_do(
    app: AppTest, sign_in: Callable[..., None]
) -> None:
    sign_in()
    app.run()
    text = page_text(app)
    assert "you have none" in text
    assert "CXR\\_READER\\_GROUPS" in text


@pytest.mark.parametrize("role", Role)
def test_an_action_is_refused_to_other_roles(sign_in: Callable[..., None], role: Role) -> None:
    sign_in(role)
    for name, needed in access.ACTIONS.items():
        module, _, function = name.rpartition(".")
        action = getattr(importlib.import_module(module), function)
        for kind in ("backlog", "retraining"):
            arguments = () if isinstance(needed, Permission) else (kind,)
            permission = needed if isinstance(needed, Permission) else needed(kind)
            if role in WHO_MAY[permission]:
                access.require(permission)
            else:
                with pytest.raises(NotPermittedError, match=f"You may not {permission}"):
                    action(*arguments)


def test_each_action_of_the_table_is_somewhere(app: AppTest) -> None:
    pages = {entry.needs for entry in PAGES}
    known = {each for each in access.ACTIONS.values() if isinstance(each, Permission)}
    known |= {Permission.RUN_BACKLOG, Permission.RETRAIN}  # by the kind of the job
    text = "".join(path.read_text() for path in (PROJECT / "cxr_app" / "ui").rglob("*.py"))
    exported = {each for each in Permission if f"exporting(Permission.{each.name}" in text}
    assert pages | known | exported == set(Permission)


def test_a_download_is_refused_to_other_roles(sign_in: Callable[..., None]) -> None:
    sign_in(Role.AUDITOR)
    make = access.exporting(Permission.EXPORT_RESULTS, lambda: b"names")
    with pytest.raises(NotPermittedError):
        make()
    sign_in(Role.ADMINISTRATOR)
    assert access.exporting(Permission.EXPORT_RESULTS, lambda: b"names")() == b"names"


def test_who_may_not_unmask_sees_short_ids(
    app: AppTest,
    sign_in: Callable[..., None],
    worklist: Worklist,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored(worklist, 0.9, patient_name="Quuxlove^Zebedea", patient_id="QX-1")
    sign_in(Role.READER)
    app.run()
    assert "QX-1" in str(table(app))
    monkeypatch.setenv("CXR_UNMASK_ROLES", "administrator")
    app.run()
    assert "QX-1" not in str(table(app))
    assert masking.SWITCH not in [each.key for each in app.toggle]


def test_without_sign_in_every_page_is_open(app: AppTest, tmp_path: Path) -> None:
    app.run()
    for entry in PAGES:
        app.switch_page(f"views/{entry.file}.py").run()
        assert "You may not" not in page_text(app)
