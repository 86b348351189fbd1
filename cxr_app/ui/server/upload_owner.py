"""Whose window an upload is for: a file is taken only from the person who has the window open."""

from streamlit import runtime

from cxr_app.settings import Settings
from cxr_app.ui.identity import Person, person_of

SESSION_PART = 3
"""Place of the window's session in `/_stcore/upload_file/SESSION/FILE`."""


def is_own(settings: Settings, path: str, person: Person) -> bool:
    """Check whether a person has the window open that an upload names.

    A window that nobody has open takes no upload: Streamlit refuses it.
    """
    parts = path.split("/")
    if len(parts) <= SESSION_PART or not runtime.exists():
        return True
    client = runtime.get_instance().get_client(parts[SESSION_PART])
    context = client.client_context if client is not None else None
    if context is None:
        return True
    return person_of(settings, dict(context.headers), context.cookies).name == person.name
