"""Answers to a sender: success only for what is durable, else a status and a reason.

In C-STORE and in STOW-RS: senders take success as leave to delete the film, send again after a
refusal for want of resources, and report an error to a person.
"""

from dataclasses import dataclass

from pydicom import Dataset

MAX_COMMENT = 64
"""Characters of (0000,0902) *Error Comment*, of VR LO."""


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """An answer.

    Parameters
    ----------
    status
        Of PS3.4 B.2.3.
    comment
        Why an object was refused, without patient data; empty for success.
    """

    status: int
    comment: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the object is kept, or need not be."""
        return self.status == 0

    def as_dataset(self) -> Dataset:
        """Return the answer as pynetdicom wants it."""
        ds = Dataset()
        ds.Status = self.status
        if self.comment:
            ds.ErrorComment = self.comment[:MAX_COMMENT]
        return ds


STORED = StoreAnswer(0x0000)
NO_ROOM = StoreAnswer(0xA700, "Out of resources: disk, database or memory. Send it again.")
NO_FILM = StoreAnswer(0x0122, "Only projection radiographs are received here.")
OTHER_OBJECT = StoreAnswer(0xA900, "The dataset has another SOP class or UID than the request.")
UNREADABLE = StoreAnswer(0xC000, "The header is damaged and cannot be read.")
CUT_SHORT = StoreAnswer(0xC001, "The pixel data is cut short.")
TOO_LARGE = StoreAnswer(0xC002, "The object is larger than any film.")
OTHER_PATIENT = StoreAnswer(0xC003, "Not a film of the patient whose films were asked for.")
FAULT = StoreAnswer(0x0110, "The receiver itself failed; see its log.")
