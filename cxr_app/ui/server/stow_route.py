"""The route of STOW-RS, for senders that speak DICOMweb: `POST /dicom-web/studies`.

It does what the receiver does. A sender shows the token of the settings; without one, the route
takes nothing.
"""

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.imaging.limits import MAX_FILE_BYTES
from cxr_app.pacs.peer_counts import PeerCounter
from cxr_app.pacs.reception import Arrived, Reception
from cxr_app.pacs.related_parts import MalformedBodyError, RelatedPart, RelatedParts, boundary_of
from cxr_app.ui import resources
from cxr_app.ui.client_address import client_address
from cxr_app.ui.server.bearer_token import SCHEME, shows_token
from cxr_app.ui.server.film_route import PRIVATE, base_path

if TYPE_CHECKING:
    from cxr_app.pacs.storing import Stored

SENDER = "STOW-RS"
ACCEPTED = 'multipart/related; type="application/dicom"; boundary=...'


def routes() -> list[Route]:
    """Return the route for `streamlit.App`."""
    return [Route(f"{base_path()}/dicom-web/studies", _store, methods=["POST"])]


async def _store(request: Request) -> Response:
    refusal = _unauthorized(request)
    if refusal is not None:
        return refusal
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        return _problem(415, f"Send the films as {ACCEPTED}")
    from cxr_app.pacs.stow_answer import stow_answer  # pynetdicom: not needed by any page

    address = client_address(request, resources.settings().proxies)
    parts, stored = RelatedParts(boundary, MAX_FILE_BYTES), []
    try:
        async for chunk in request.stream():
            for part in parts.take(chunk):
                stored.append(await run_in_threadpool(_take, part, address))  # noqa: PERF401
    except (MalformedBodyError, ClientDisconnect):
        return _problem(400, "The body is cut short, or is not multipart as its header says.")
    if not parts.is_ended or not stored:
        return _problem(400, "The body is cut short: its last boundary is missing.")
    status, body = stow_answer(stored)
    return Response(body, status, PRIVATE, "application/dicom+json")


def _unauthorized(request: Request) -> Response | None:
    token = resources.settings().dicomweb_token
    if not token:
        return _problem(404, "Nothing is received here: CXR_DICOMWEB_TOKEN is not set.")
    if shows_token(request, token):
        return None
    resources.audit().record(
        AuditKind.REFUSED,
        who=SENDER,
        address=client_address(request, resources.settings().proxies),
        outcome=AuditOutcome.REFUSED,
        detail="films without the token",
    )
    answer = _problem(401, "Show the token of CXR_DICOMWEB_TOKEN as Authorization: Bearer ...")
    answer.headers["WWW-Authenticate"] = SCHEME
    return answer


def _take(part: RelatedPart, address: str) -> "Stored":
    """Store one object, wake the engine, count it and note it in the audit."""
    from cxr_app.pacs.received_events import note_received
    from cxr_app.pacs.store_answers import TOO_LARGE
    from cxr_app.pacs.storing import Storing, refused

    films, worklist = resources.film_store(), resources.worklist()
    if part.is_too_large:
        stored = refused(TOO_LARGE, part.data)
    else:
        storing = Storing(Reception(films, worklist), films.root)
        stored = storing.take(part.data, f"{SENDER}@{address}")
    if stored.arrived is Arrived.NEW:
        resources.engine().wake()
    counter, peer = PeerCounter(worklist), (SENDER, address)
    if stored.arrived is None:
        counter.refused(peer, stored.answer.comment)
    else:
        counter.arrived(peer, stored.arrived)
    counter.report()
    note_received(resources.audit(), peer, stored)
    return stored


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status, headers=PRIVATE)
