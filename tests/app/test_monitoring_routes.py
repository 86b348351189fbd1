"""The routes of monitoring: alive, ready, and figures for whoever shows the token."""

import json
import os

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.server import monitoring_routes
from cxr_app.worklist import Worklist
from tests.support.worklists import ReadyEngine, scored

ENDPOINTS = {route.path: route.endpoint for route in monitoring_routes.routes()}


def ask(path: str, token: str = "", scheme: str = "Bearer") -> tuple[int, str]:
    headers = [(b"authorization", f"{scheme} {token}".encode())] if token else []
    scope = {"type": "http", "path": path, "headers": headers, "app": Starlette()}
    answer = ENDPOINTS[path](Request(scope))
    return answer.status_code, bytes(answer.body).decode()


def test_figures_need_the_token(worklist: Worklist, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(worklist, 0.9, patient_name="Quuxlove^Zebedea")
    assert ask("/metrics")[0] == 404
    monkeypatch.setenv("CXR_METRICS_TOKEN", "t")
    assert ask("/metrics")[0] == 401
    assert ask("/metrics", "other")[0] == 401
    assert ask("/metrics", "t", "bearer")[0] == 200
    status, text = ask("/metrics", "t")
    assert status == 200
    assert "cxr_films_received 1.0" in text
    assert "Quuxlove" not in text


def test_a_server_is_ready_once_it_can_score_and_audit(
    worklist: Worklist, engine: ReadyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("/readyz") == (200, '{"problems":[]}')
    engine.current = EngineStatus("failed", "No model.")
    resources.audit().problem = "The audit's disk is full."
    status, text = ask("/readyz")
    assert status == 503
    assert json.loads(text)["problems"] == ["The audit's disk is full.", "No model."]
    assert ask("/healthz")[0] == 503


def test_a_server_whose_worklist_can_only_be_read_is_not_ready(
    worklist: Worklist, engine: ReadyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    status, text = ask("/readyz")
    assert status == 503
    assert "cannot be changed by this user" in text
    assert ask("/healthz")[0] == 200, "a restart would not help"
