"""This installation as its results name it."""

from dataclasses import dataclass
from typing import Self

from cxr_app.pacs.result_uids import derived_uid
from cxr_app.worklist import Worklist

SHORT = 12


@dataclass(frozen=True, slots=True)
class Installation:
    """The device that made a result.

    Parameters
    ----------
    ae_title
        By which it calls archives.
    uid
        Device Observer UID: the same for all servers of one worklist, for ever.
    """

    ae_title: str
    uid: str

    @classmethod
    def of(cls, worklist: Worklist, ae_title: str) -> Self:
        """Return the installation that a worklist belongs to."""
        return cls(ae_title, derived_uid("installation", worklist.outbox.installation_id()))

    @property
    def serial_number(self) -> str:
        """The last digits of its UID."""
        return self.uid[-SHORT:]
