"""Routes from which the viewer loads films and heatmaps.

An address holds an entry's opaque id and nothing about the patient; responses are not cached by
browsers or proxies. `app.py` serves `routes`.
"""

import logging
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr_app import log_privacy
from cxr_app.audit.event import AuditKind
from cxr_app.errors import CxrError, EntryNotFoundError
from cxr_app.film_store import read_film
from cxr_app.imaging import intake
from cxr_app.pose import AS_IT_LIES, Pose, pose_of, posed_softcopy
from cxr_app.prediction import HeatScale
from cxr_app.ui import auditing, resources
from cxr_app.ui.server import error_page, film_payload, small_picture
from cxr_app.ui.text import formatting
from cxr_app.worklist import Entry

logger = logging.getLogger(__name__)

FILMS_KEPT = 8
"""Number of packed films in memory, up to 16 MB each, so that a reload need not decode again."""

PRIVATE = {
    "Cache-Control": "no-store, private",
    "Content-Encoding": "identity",  # grey values hardly compress, and gzip takes a second
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def film_address(entry_id: str, pose: Pose = AS_IT_LIES) -> str:
    """Return the address of a film in a pose."""
    address = f"{base_path()}/films/{entry_id}"
    return address if pose.changes_nothing else f"{address}?pose={pose.key}"


def heat_address(entry: Entry) -> str | None:
    """Return the address of a heatmap; None if no model has scored the film."""
    if entry.model_version == "" or entry.scored_at is None:
        return None
    pose = f"&pose={entry.attestation.pose.key}" if entry.attestation else ""
    return f"{base_path()}/films/{entry.id}/heat?scored={entry.scored_at.timestamp():.0f}{pose}"


def scale_of(entry: Entry) -> HeatScale | None:
    """Return the scale of an entry's heatmap: that of the model that scored it, never another's.

    A score from before scales were recorded has one only while its model is in use.
    """
    if entry.heat_scale is not None:
        return entry.heat_scale
    status = resources.engine().status()
    return status.heat_scale if status.model_version == entry.model_version else None


def routes() -> list[Route]:
    """Return the routes for `streamlit.App`."""
    path = f"{base_path()}/films/{{entry_id}}"
    urgent = Route(urgent_address(), _urgent)  # before the films, which any other name is
    return [
        urgent,
        Route(path, _film),
        Route(f"{path}/heat", _heat),
        Route(f"{path}/small", _small),
    ]


def urgent_address() -> str:
    """Return the address that says how many urgent films are unread."""
    return f"{base_path()}/films/urgent"


def pictures() -> str:
    """Return the address below which each entry's id has a small picture of its film."""
    return f"{base_path()}/films/"


def base_path() -> str:
    """Return the path under which the server is mounted; empty at the root."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}" if base else ""


def _urgent(_: Request) -> Response:
    """Answer with the number of urgent films, and when (in ms) and by whom the newest was marked.

    The browser asks every few seconds, also in a hidden tab; no film or patient is named.
    """
    try:
        waiting = resources.worklist().room.urgency.waiting()
    except CxrError as error:
        return JSONResponse({"message": str(error)}, status_code=503, headers=PRIVATE)
    newest = 0 if waiting.newest_at is None else int(waiting.newest_at.timestamp() * 1000)
    body = {"films": waiting.films, "newest": newest, "by": waiting.newest_by}
    return JSONResponse(body, headers=PRIVATE)


def _film(request: Request) -> Response:
    try:
        entry = resources.worklist().entry(request.path_params["entry_id"])
        if entry.film_deleted_at is not None:
            return _response(
                film_payload.pack_refusal(formatting.film_deleted(entry.film_deleted_at))
            )
        pose = pose_of(request.query_params.get("pose", ""))
        packed = _packed_film(entry.path, entry.sha256, pose)
        auditing.sender(request).note(AuditKind.FILM_SHOWN, entry.header, film=entry.id)
        return _response(packed)
    except EntryNotFoundError as error:
        return _not_found(str(error))
    except CxrError as error:  # not an HTTP error: the viewer shows the message
        return _response(film_payload.pack_refusal(str(error)))
    except Exception as error:  # noqa: BLE001 - the server would log its message
        logger.error("A film failed unexpectedly:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
        return _response(film_payload.pack_refusal(error_page.UNEXPECTED))


def _heat(request: Request) -> Response:
    try:
        entry = resources.worklist().entry(request.path_params["entry_id"])
    except CxrError as error:
        return _not_found(str(error))
    if entry.film_deleted_at is not None:
        return _not_found(formatting.film_deleted(entry.film_deleted_at))
    scale = scale_of(entry)
    if entry.activation_map is None or scale is None:
        return _not_found("There is no heatmap for this film yet.")
    return _response(
        film_payload.pack_heat(
            entry.activation_map, scale, entry.rows, entry.columns, lungs=entry.lungs
        )
    )


def _small(request: Request) -> Response:
    """Answer with a small picture of a film, and the outline of its heat if it may be shown."""
    try:
        entry = resources.worklist().entry(request.path_params["entry_id"])
        if entry.film_deleted_at is not None:
            return _not_found(formatting.film_deleted(entry.film_deleted_at))
        picture = _small_picture(entry)
        who = auditing.sender(request)
        who.note(AuditKind.FILM_SHOWN, entry.header, film=entry.id, detail="small")
        return Response(picture, media_type="image/png", headers=PRIVATE)
    except CxrError as error:
        return _not_found(str(error))
    except Exception as error:  # noqa: BLE001 - the server would log its message
        logger.error("A film failed unexpectedly:\n%s", log_privacy.fault_report(error))  # noqa: TRY400
        return _not_found(error_page.UNEXPECTED)


def _small_picture(entry: Entry) -> bytes:
    film = intake.read_radiograph(read_film(entry.path, entry.sha256), in_subprocess=True)
    scale = scale_of(entry) if resources.settings().heat == "at_once" else None
    cells = entry.activation_map if scale is not None else None
    return small_picture.draw(entry.pose.applied(film.image), cells, scale)


@lru_cache(maxsize=FILMS_KEPT)
def _packed_film(path: Path, sha256: str, pose: Pose) -> bytes:
    """Read, decode and pack a film; failures are not cached."""
    softcopy = intake.read_softcopy(read_film(path, sha256), in_subprocess=True)
    return film_payload.pack_film(posed_softcopy(softcopy, pose))


def _response(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers=PRIVATE)


def _not_found(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=404, headers=PRIVATE)
