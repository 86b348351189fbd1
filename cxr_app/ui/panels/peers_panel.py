"""Who has sent films, and what became of them."""

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.text import connection_text

REFRESH_SECONDS = 3.0
TIMES = ("Last seen", "Last film", "Last refusal")


@st.fragment
def peers_panel() -> None:
    """List the senders, refreshing by itself."""
    peers = resources.worklist().peers.all()
    with st.container(border=True, key="peers", gap="small"):
        st.markdown("**Senders**")
        if peers:
            st.dataframe(
                [connection_text.peer_row(peer) for peer in peers],
                hide_index=True,
                column_config={
                    name: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")
                    for name in TIMES
                },
                key="peer_list",
            )
        else:
            st.caption(connection_text.NO_PEERS)
    auto_refresh("follow_peers", REFRESH_SECONDS)
