"""The page of a reader who is not signed in, where the site signs readers in by OpenID Connect."""

import streamlit as st

from cxr_app.ui import resources


def require_sign_in() -> None:
    """Show nothing but a button to sign in, and end the script, unless the reader is signed in."""
    if resources.settings().sign_in != "oidc" or _is_signed_in(active=True):
        return
    st.title("Chest film triage", anchor=False)
    st.write("Sign in to see films. A session ends by itself when nobody uses it.")
    st.button("Sign in", key="sign_in", type="primary", on_click=st.login)
    st.stop()


def end_if_idle() -> None:
    """Leave the page if the session has ended since it was drawn."""
    if resources.settings().sign_in == "oidc" and not _is_signed_in(active=False):
        st.rerun()


def sign_out_button() -> None:
    """Offer to sign out."""
    if resources.settings().sign_in == "oidc":
        st.button("Sign out", key="sign_out", on_click=st.logout)


def _is_signed_in(*, active: bool) -> bool:
    sessions = resources.sign_in_sessions()
    check = sessions.touch if active else sessions.is_open
    return bool(st.user.is_logged_in) and check(st.context.cookies.to_dict())
