"""``streamlit`` as on a very busy machine: a drawing takes long to learn what the browser knows.

Run as a program with Streamlit's own arguments.
"""

import time
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.session_state import SessionState
from streamlit.web.cli import main

BEFORE_FRAGMENT_SECONDS = 1.0
AFTER_PAGE_SECONDS = 1.0

_learn = SessionState.on_script_will_rerun


def learn_late(self: SessionState, *args: Any, **options: Any) -> None:
    """Learn the widgets' values: a fragment late, and a page long before it makes use of them."""
    context = get_script_run_ctx()
    is_fragment = context is not None and bool(context.fragment_ids_this_run)
    if is_fragment:
        time.sleep(BEFORE_FRAGMENT_SECONDS)
    _learn(self, *args, **options)
    if not is_fragment:
        time.sleep(AFTER_PAGE_SECONDS)


if __name__ == "__main__":
    SessionState.on_script_will_rerun = learn_late  # type: ignore[method-assign]
    main()
