"""An archive as it is called: association, echo and store, each bounded in time.

References
----------
DICOM PS3.4 B (Storage), A.4 (Verification); PS3.7 C (statuses).
"""

from pydicom import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    ParametricMapStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom.association import Association

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import ArchiveError
from cxr_app.pacs.association import ArchiveAssociation, calling_entity, open_association

CLASS_OF = {
    ResultKind.REPORT: Comprehensive3DSRStorage,
    ResultKind.PICTURE: SecondaryCaptureImageStorage,
    ResultKind.OUTLINE: GrayscaleSoftcopyPresentationStateStorage,
    ResultKind.HEATMAP: ParametricMapStorage,
    ResultKind.READING: Comprehensive3DSRStorage,
}

_SUCCESS = 0x0000
DUPLICATE = 0x0111
"""The archive has an instance of this UID: ours, for a result's UIDs are derived from it."""
HAD_IT = "the archive had it already"
_WARNINGS = (0x0001, 0x0107, 0x0116)
_STATUS_WORDS = {
    0xA7: "it is out of resources",
    0xA9: "the object does not match its class",
    0xC0: "it cannot understand the object",
    0x01: "it refused",
}


class Archive(ArchiveAssociation):
    """One association with an archive; use it with ``with``, in one thread.

    Parameters
    ----------
    destination
        Its address, and the objects to propose.
    ae_title
        By which this program calls.

    Raises
    ------
    ArchiveError
        On entering, if it cannot be reached or refuses the association.
    """

    def __init__(self, destination: Destination, ae_title: str) -> None:
        self._destination = destination
        self._ae = calling_entity(ae_title)
        for sop_class in dict.fromkeys(CLASS_OF[kind] for kind in destination.kinds):
            self._ae.add_requested_context(sop_class, ExplicitVRLittleEndian)

    def _open(self) -> Association:
        return open_association(self._ae, self._destination)

    @property
    def is_open(self) -> bool:
        """Whether the archive still listens to this association."""
        return self._association.is_established

    def echo(self) -> None:
        """Ask the archive to answer.

        Raises
        ------
        ArchiveError
            If it does not.
        """
        status = self._association.send_c_echo() if self.is_open else Dataset()
        if status.get("Status") != _SUCCESS:
            raise ArchiveError(f"{self._destination.name} does not answer an echo.")

    def store(self, result: Dataset) -> str:
        """Send an object; once this returns, the archive has acknowledged it.

        Returns
        -------
        str
            What the archive remarked in its status; empty if nothing.

        Raises
        ------
        ArchiveError
            If it refuses the object or does not answer.
        """
        name = self._destination.name
        try:
            status = self._association.send_c_store(result)
        except (RuntimeError, ValueError):
            # No association, or no context for this class. The messages may quote the object.
            if not self.is_open:
                raise ArchiveError(f"{name} ended the association.") from None
            raise ArchiveError(
                f"{name} does not take {result.SOPClassUID.name} objects. "
                "Allow them there, or take them out of CXR_RESULTS_TO."
            ) from None
        code = status.get("Status")
        if code is None:
            raise ArchiveError(f"{name} did not answer in time, or ended the association.")
        if code == _SUCCESS:
            return ""
        if code == DUPLICATE:
            return HAD_IT
        if code in _WARNINGS or code >> 12 == 0xB:
            return f"stored with a warning (0x{code:04X})"
        why = _STATUS_WORDS.get(code >> 8, "it failed")
        raise ArchiveError(f"{name} did not store the object: {why} (0x{code:04X}).")


def echo(destination: Destination, ae_title: str) -> None:
    """Check that an archive can be reached and answers.

    Raises
    ------
    ArchiveError
        If not; the message says what to check.
    """
    with Archive(destination, ae_title) as archive:
        archive.echo()
