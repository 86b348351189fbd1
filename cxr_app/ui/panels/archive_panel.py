"""The archive that films are fetched from: its address, what to allow there, and a test."""

from functools import partial

import streamlit as st

from cxr_app.destination import Destination
from cxr_app.pacs.film_archive import check_archive
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.text import connection_text, formatting


def archive_panel() -> None:
    """Show the archive, if one is named."""
    settings = resources.settings()
    archive = settings.film_archive
    with st.container(border=True, key="film_archive", gap="small"):
        st.markdown("**Fetching films from an archive**")
        if archive is None:
            st.markdown(connection_text.NO_ARCHIVE)
            return
        st.markdown(f"`{archive.name}`")
        st.caption(
            f"Register `{settings.ae_title}` there, and allow it to search (C-FIND) and to fetch "
            "(C-GET)."
        )
        if st.button("Test the archive (C-ECHO, C-FIND)", key="test_film_archive"):
            attempt(partial(_test, archive, settings.ae_title))


@guarded(Permission.TEST_CONNECTION)
def _test(archive: Destination, ae_title: str) -> None:
    with st.spinner("Waiting for its answer …"):
        check_archive(archive, ae_title)
    st.toast(f"{formatting.escape_markdown(archive.name)} answers.", icon=":material/check:")
