"""Routes for monitoring: `/healthz` (alive), `/readyz` (able to work) and `/metrics` (figures)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.errors import CxrError
from cxr_app.operations.monitoring import CONTENT_TYPE, InstallationCollector, exposition
from cxr_app.ui import resources
from cxr_app.ui.client_address import client_address
from cxr_app.ui.server.bearer_token import SCHEME, shows_token
from cxr_app.ui.server.film_route import base_path
from cxr_app.worklist.rights import require_rights


def routes() -> list[Route]:
    """Return the routes for `streamlit.App`."""
    return [
        Route("/healthz", _health),
        Route("/readyz", _ready),
        Route(f"{base_path()}/metrics", _metrics),
    ]


def _health(_: Request) -> JSONResponse:
    """Return the state of the engine: 200 while it loads or scores, 503 if it has failed."""
    status = resources.engine().status()
    body = {
        "state": status.state,
        "message": status.message,
        "model_version": status.model_version,
        "device": status.device_name,
    }
    return JSONResponse(body, status_code=503 if status.state == "failed" else 200)


def _ready(_: Request) -> JSONResponse:
    """Return 200 if films are taken, scored and audited; 503 and what is not otherwise."""
    problems = [resources.audit().problem]
    status = resources.engine().status()
    if status.state != "ready":
        problems.append(status.message or "The model is being loaded.")
    try:
        resources.worklist().counts()
        require_rights(resources.settings().worklist_url)  # a standby can be read
    except CxrError as error:
        problems.append(str(error))
    found = list(filter(None, problems))
    return JSONResponse({"problems": found}, status_code=503 if found else 200)


def _metrics(request: Request) -> Response:
    """Answer with the figures to whoever shows the token."""
    token = resources.settings().metrics_token
    if not token:
        return PlainTextResponse("Nothing here: CXR_METRICS_TOKEN is not set.\n", 404)
    if not shows_token(request, token):
        resources.audit().record(
            AuditKind.REFUSED,
            address=client_address(request, resources.settings().proxies),
            outcome=AuditOutcome.REFUSED,
            detail="figures without the token",
        )
        answer = PlainTextResponse("Show the token of CXR_METRICS_TOKEN as Bearer.\n", 401)
        answer.headers["WWW-Authenticate"] = SCHEME
        return answer
    store, waiting = resources.audit().store, resources.syslog().waiting
    collector = InstallationCollector(
        resources.settings(), resources.worklist(), resources.engine().status, (store, waiting)
    )
    try:
        return Response(exposition(collector, resources.drift_metrics()), media_type=CONTENT_TYPE)
    except CxrError as error:
        return PlainTextResponse(f"{error}\n", 503)
