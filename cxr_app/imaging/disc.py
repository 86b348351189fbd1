"""DICOM discs: which files of a disc are films, by its table of contents."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath, PurePosixPath

from cxr_app.errors import raise_shortage

DIRECTORY_NAME = "DICOMDIR"
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"
_META_BYTES = 1024


@dataclass(frozen=True, slots=True)
class DiscContents:
    """What a DICOMDIR lists.

    Parameters
    ----------
    images
        Paths of the images, relative to the disc, in upper case.
    others
        Paths of everything else: reports, presentation states, documents.
    """

    images: frozenset[PurePosixPath]
    others: frozenset[PurePosixPath]

    def has_film(self, path: PurePosixPath, head: bytes) -> bool:
        """Check whether a file of the disc is a film: an image it lists, or an unlisted DICOM file.

        Parameters
        ----------
        path
            As `disc_path` returns it.
        head
            The file's first bytes.
        """
        if path in self.images:
            return True
        return path not in self.others and head[128:132] == b"DICM" and not is_directory(head)


def disc_path(path: PurePath) -> PurePosixPath:
    """Return a path as discs compare it: without case, version number and final point."""
    return PurePosixPath(*(part.upper().split(";")[0].rstrip(".") for part in path.parts))


def is_directory(data: bytes) -> bool:
    """Check by its first bytes whether a file is a DICOMDIR.

    References
    ----------
    DICOM PS3.10 8.6; PS3.3 F.
    """
    return data[128:132] == b"DICM" and _MEDIA_STORAGE_DIRECTORY in data[:_META_BYTES]


def disc_contents(data: bytes) -> DiscContents | None:
    """Read a DICOMDIR; None if it is damaged."""
    # Imported here: a folder seldom has one, and without pydicom it is searched sooner.
    from pydicom import dcmread

    from cxr_app.imaging.dicom_values import DICOM_DAMAGE, items, text, texts

    images: set[PurePosixPath] = set()
    others: set[PurePosixPath] = set()
    try:
        for record in items(dcmread(BytesIO(data)), "DirectoryRecordSequence"):
            names = texts(record, "ReferencedFileID")
            if names:
                kind = text(record, "DirectoryRecordType").upper()
                path = disc_path(PurePosixPath(*names))
                (images if kind == "IMAGE" else others).add(path)
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return None
    return DiscContents(frozenset(images), frozenset(others))
