"""A page is drawn at its root even by the thread of a fragment."""

import pytest
import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest


def test_a_page_that_follows_a_fragment_in_its_thread_is_not_drawn_within_it(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = ScriptRunner._run_script

    def draw_after_a_fragment(runner: ScriptRunner, asked: RerunData) -> None:
        """Draw in a thread as a fragment leaves it."""
        context_dg_stack.set((*context_dg_stack.get(), st.container()))
        draw(runner, asked)

    alone = [type(each) for each in app.run().main.children.values()]
    monkeypatch.setattr(ScriptRunner, "_run_script", draw_after_a_fragment)
    after_a_fragment = [type(each) for each in app.run().main.children.values()]
    assert len(alone) > 1
    assert after_a_fragment == alone
