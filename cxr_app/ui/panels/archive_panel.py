"""The archive that films are fetched from: its address, what to allow there, and a test."""

from functools import partial

import streamlit as st

from cxr_app.destination import Destination
from cxr_app.pacs.film_sources import check_film_source
from cxr_app.permissions import Permission
from cxr_app.settings import Settings
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
        st.caption(connection_text.to_allow(archive, settings))
        services = "QIDO-RS" if archive.url else "C-ECHO, C-FIND"
        if st.button(f"Test the archive ({services})", key="test_film_archive"):
            attempt(partial(_test, archive, settings))


@guarded(Permission.TEST_CONNECTION)
def _test(archive: Destination, settings: Settings) -> None:
    with st.spinner("Waiting for its answer …"):
        check_film_source(archive, settings)
    st.toast(f"{formatting.escape_markdown(archive.name)} answers.", icon=":material/check:")
