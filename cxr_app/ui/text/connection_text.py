"""Words and rows of the Connections page."""

from typing import Any

from cxr_app import display_text
from cxr_app.destination import Destination
from cxr_app.settings import Settings
from cxr_app.worklist import Peer

EVERY_NETWORK = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
OFF = (
    "No films are received over the network: set `CXR_DICOM_PORT`, for example to `11112`, and "
    "restart the server."
)
NOT_RUNNING = (
    "The receiver does not run; the server's log says why. It is started again in a moment, unless "
    "a setting is wrong."
)
NO_ARCHIVE = (
    "Films are fetched from no archive: set `CXR_FILMS_FROM`, for example to "
    "`ORTHANC@archive:4242` or `https://archive/dicom-web`, and restart the server."
)
NO_PEERS = "Nobody has sent anything yet."


def reachable_from(settings: Settings, server_name: str) -> tuple[str, str]:
    """Return the host to enter on the other side, and a remark on it."""
    host = settings.dicom_host
    if host in EVERY_NETWORK:
        return server_name, "or an address of this server that the sender can reach"
    if host in ("127.0.0.1", "::1", "localhost"):
        return host, (
            "reached from this machine only; `CXR_DICOM_HOST` chooses another address of the server"
        )
    return host, ""


def to_allow(archive: Destination, settings: Settings) -> str:
    """Return what to allow in the archive that films come from."""
    if archive.url:
        return (
            "The login in `CXR_RESULTS_LOGINS`, if it asks for one, must be allowed to search "
            "(QIDO-RS) and to fetch (WADO-RS)."
        )
    return (
        f"Register `{settings.ae_title}` there, and allow it to search (C-FIND) and to fetch "
        "(C-GET)."
    )


def allowed_senders(settings: Settings) -> str:
    """Return a sentence on who may send."""
    titles, addresses = sorted(settings.caller_titles), settings.caller_networks
    if not titles and not addresses:
        return "Any sender that reaches the port is accepted."
    parts = []
    if titles:
        parts.append("the AE titles " + ", ".join(f"`{each}`" for each in titles))
    if addresses:
        parts.append("the addresses " + ", ".join(f"`{each}`" for each in addresses))
    return f"Accepted are {' from '.join(parts)}; others are rejected."


def peer_row(peer: Peer) -> dict[str, Any]:
    """Return the table row of a peer; times are those of the server's clocks."""
    counts = peer.counts
    return {
        "AE title": peer.ae_title,
        "Address": peer.address,
        "Films": counts.films,
        "Sent again": counts.repeated,
        "Own results": counts.own_results,
        "Refused": counts.refused,
        "Last seen": display_text.local(counts.seen_at),
        "Last film": display_text.local(counts.film_at),
        "Last refusal": display_text.local(counts.refused_at),
        "Why": counts.refusal,
    }
