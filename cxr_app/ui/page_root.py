"""Where a page is drawn: at its root, whatever the thread has drawn before.

A page that is asked for between the last element of a fragment and the end of its run is drawn by
the fragment's thread. In Streamlit 1.67 that thread still draws where the fragment did: the page
would appear within the banner, whose line takes no click.
"""

from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value


def draw_at_root() -> None:
    """Draw what follows at the root of the page; call it before anything is drawn."""
    context_dg_stack.set(get_default_dg_stack_value())
