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
from cxr_app.errors import CxrError, EntryNotFoundError
from cxr_app.film_store import read_film
from cxr_app.imaging import intake
from cxr_app.prediction import HeatScale
from cxr_app.ui import resources
from cxr_app.ui.server import error_page, film_payload
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


def film_address(entry_id: str) -> str:
    """Return the address of a film."""
    return f"{base_path()}/films/{entry_id}"


def heat_address(entry: Entry) -> str | None:
    """Return the address of a heatmap; None if no model has scored the film."""
    if entry.model_version == "" or entry.scored_at is None:
        return None
    return f"{base_path()}/films/{entry.id}/heat?scored={entry.scored_at.timestamp():.0f}"


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
    return [Route(path, _film), Route(f"{path}/heat", _heat)]


def base_path() -> str:
    """Return the path under which the server is mounted; empty at the root."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}" if base else ""


def _film(request: Request) -> Response:
    try:
        entry = resources.worklist().entry(request.path_params["entry_id"])
        if entry.film_deleted_at is not None:
            return _response(
                film_payload.pack_refusal(formatting.film_deleted(entry.film_deleted_at))
            )
        return _response(_packed_film(entry.path, entry.sha256))
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


@lru_cache(maxsize=FILMS_KEPT)
def _packed_film(path: Path, sha256: str) -> bytes:
    """Read, decode and pack a film; failures are not cached."""
    return film_payload.pack_film(intake.read_softcopy(read_film(path, sha256), in_subprocess=True))


def _response(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers=PRIVATE)


def _not_found(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=404, headers=PRIVATE)
