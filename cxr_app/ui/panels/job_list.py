"""The jobs of a page: which one is shown, and the list to choose another from."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from cxr_app.ui.components.film_table import TableColumn, TableLook, film_table
from cxr_app.worklist import Job


def shown_job(jobs: list[Job]) -> Job:
    """Return the job named in the address, otherwise the running one, otherwise the newest."""
    requested = st.query_params.get("job")
    running = [job for job in jobs if job.is_active]
    named = [job for job in jobs if job.id == requested]
    return (named or running[-1:] or jobs)[0]


def job_list(
    label: str,
    columns: Sequence[TableColumn],
    jobs: Sequence[Job],
    row: Callable[[Job], dict[str, Any]],
    shown: Job,
) -> None:
    """List the jobs if there are several; a click shows another."""
    if len(jobs) < 2:
        return
    st.header(label, anchor=False)
    gesture = film_table(
        "jobs", columns, list(map(row, jobs)), label=label, look=TableLook("14rem")
    )
    if gesture.opened and gesture.opened != shown.id:
        st.query_params["job"] = gesture.opened
        st.rerun()
