"""Who has sent films over the network, and what became of them. Each method is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, func, select

from cxr_app.worklist.received_tables import PeerRow
from cxr_app.worklist.transactions import Transactions

MAX_PEERS = 500
"""Number of peers kept; those seen longest ago are forgotten."""
MAX_LENGTH = 64


@dataclass(frozen=True, slots=True)
class PeerCounts:
    """What has happened with one peer since the last report.

    Parameters
    ----------
    films, repeated, own_results, refused
        New films, films that were here already, results of this program that came back, and objects
        or associations that were refused.
    seen_at, film_at, refused_at
        Aware, UTC; None if it has not happened.
    refusal
        Why the last one was refused.
    """

    films: int = 0
    repeated: int = 0
    own_results: int = 0
    refused: int = 0
    seen_at: datetime | None = None
    film_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer, and what has happened with it so far.

    Parameters
    ----------
    ae_title
        Its AE title; ``STOW-RS`` for a sender that speaks DICOMweb.
    address
        Its IP address.
    """

    ae_title: str
    address: str
    counts: PeerCounts


class PeerLog(Transactions):
    """The peers that have sent films."""

    def report(self, news: Mapping[tuple[str, str], PeerCounts]) -> None:
        """Add what has happened, by AE title and address."""
        with self._database.writing() as session:
            for (title, address), counts in sorted(news.items()):
                key = {"ae_title": title[:MAX_LENGTH], "address": address[:MAX_LENGTH]}
                values = {"films": 0, "repeated": 0, "own_results": 0, "refused": 0}
                row = self._database.insert(PeerRow).values(
                    **key, **values, seen_at=counts.seen_at or self._clock()
                )
                session.execute(row.on_conflict_do_nothing(index_elements=["ae_title", "address"]))
                peer = session.scalars(select(PeerRow).filter_by(**key).with_for_update()).one()
                _add(peer, counts)
            newest = select(PeerRow.number).order_by(PeerRow.seen_at.desc()).limit(MAX_PEERS)
            if (session.scalar(select(func.count()).select_from(PeerRow)) or 0) > MAX_PEERS:
                session.execute(delete(PeerRow).where(PeerRow.number.not_in(newest)))

    def all(self) -> list[Peer]:
        """Return all peers, the one seen last first."""
        with self._database.reading() as session:
            rows = session.scalars(select(PeerRow).order_by(PeerRow.seen_at.desc()))
            return [_as_peer(row) for row in rows]


def _add(peer: PeerRow, counts: PeerCounts) -> None:
    for name in ("films", "repeated", "own_results", "refused"):
        setattr(peer, name, getattr(peer, name) + getattr(counts, name))
    for name in ("seen_at", "film_at", "refused_at"):
        if getattr(counts, name) is not None:
            setattr(peer, name, getattr(counts, name))
    if counts.refusal:
        peer.refusal = counts.refusal


def _as_peer(row: PeerRow) -> Peer:
    values = {each.name: getattr(row, each.name) for each in fields(PeerCounts)}
    return Peer(row.ae_title, row.address, PeerCounts(**values | {"refusal": row.refusal or ""}))
