"""What every reader of a file format returns."""

from typing import NamedTuple

from cxr_app.radiograph import Header, Softcopy


class DecodedFilm(NamedTuple):
    """A film as its file holds it.

    Parameters
    ----------
    softcopy
        The film.
    header
        The facts of its header; None if its format has none.
    full_size
        Rows and columns of the film if it was reduced, else None.
    objection
        Why its header forbids scoring it, the end of a sentence; empty if it does not.
    """

    softcopy: Softcopy
    header: Header | None = None
    full_size: tuple[int, int] | None = None
    objection: str = ""
