"""Drift: alarms, the figures week by week, and by sender."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from plotly import graph_objects as go

from cxr_app.drift_alarms import AlarmLines, DriftFigure
from cxr_app.evaluation.drift_changes import (
    MAX_SENDERS,
    FilmGroup,
    by_sender,
    by_week,
    new_senders,
)
from cxr_app.evaluation.drift_figures import FEWEST
from cxr_app.evaluation.drift_films import DriftFilms, SenderFact, monday
from cxr_app.ui import resources
from cxr_app.ui.panels import drift_charts
from cxr_app.ui.panels.drift_controls import DriftChoice
from cxr_app.ui.text import drift_text, formatting
from cxr_app.ui.text.drift_text import SiteChange

CHART = {"displayModeBar": False}
WARNED_WEEKS = 4


def drift_panel(films: DriftFilms, choice: DriftChoice) -> None:
    """Show alarms, charts and tables."""
    lines = resources.settings().alarm_lines
    in_group = np.ones(len(films), np.bool_)
    if choice.group is not None:
        in_group = films.senders[choice.sender].is_name(choice.group)
    weeks = by_week(films, in_group, choice.model, choice.reference, choice.weeks)
    senders = by_sender(films, choice.sender, choice.model, choice.reference, choice.weeks)
    changes = _changes(films, choice.weeks)
    _alarms(weeks, senders, choice, lines)
    _charts(weeks, changes, choice, lines)
    _explain(choice)
    _senders(choice.sender, senders, lines)
    _what_changed(changes)
    with st.expander("Figures of each week"):
        st.table(drift_text.week_rows(weeks, lines), hide_index=True, border="horizontal")


def _changes(films: DriftFilms, weeks: range) -> list[SiteChange]:
    """Return what has changed in the weeks shown."""
    stations, makers = films.senders[SenderFact.STATION], films.senders[SenderFact.MANUFACTURER]
    coded = stations if any(stations.names) else makers
    found = new_senders(films, coded)
    first = monday(weeks.start)
    promotions = resources.worklist().promotions.history(limit=None)
    return drift_text.changes(
        (each for each in promotions if each.promoted_at.date() >= first),
        {name: day for name, day in found.items() if day >= first},
    )


def _alarms(
    weeks: Mapping[int, FilmGroup],
    senders: Mapping[str, FilmGroup],
    choice: DriftChoice,
    lines: AlarmLines,
) -> None:
    """Warn of figures of the last weeks, and of senders, that are beyond their line."""
    if not lines:
        st.caption("No alarm lines are set; `CXR_DRIFT_ALARMS` sets them.")
        return
    watched = {
        f"Week from {monday(week):%Y-%m-%d}": weeks[week]
        for week in reversed(choice.weeks[-WARNED_WEEKS:])
    }
    kind = drift_text.SENDERS[choice.sender]
    watched |= {f"{kind} {name or drift_text.NOT_STATED}": each for name, each in senders.items()}
    found = drift_text.alarms(watched, lines)
    if found:
        st.warning("  \n".join(map(formatting.escape_markdown, found)), icon=":material/warning:")
    else:
        st.caption(
            f"No alarm in the last {WARNED_WEEKS} weeks, nor of a sender below. The site's lines: "
            f"{formatting.escape_markdown(drift_text.line_words(lines))}."
        )


def _charts(
    weeks: Mapping[int, FilmGroup],
    changes: list[SiteChange],
    choice: DriftChoice,
    lines: AlarmLines,
) -> None:
    """Draw everything over the same weeks, in two columns."""
    reference = choice.reference

    def figures(*which: DriftFigure) -> go.Figure:
        return drift_charts.shares(which, weeks, changes, reference, lines)

    charts = (
        ("Films", drift_charts.film_counts(weeks, changes, reference)),
        ("Flagged and refused", figures(DriftFigure.FLAGGED, DriftFigure.REFUSED)),
        ("Scores against the reference: PSI", figures(DriftFigure.PSI)),
        ("Scores against the reference: KS", figures(DriftFigure.KS)),
        ("Agreement with readers", figures(DriftFigure.AGREEMENT)),
        (
            "Sensitivity and specificity as used",
            figures(DriftFigure.SENSITIVITY, DriftFigure.SPECIFICITY),
        ),
    )
    for start in range(0, len(charts), 2):
        columns = st.columns(2, gap="medium")
        for place, (column, (title, figure)) in enumerate(
            zip(columns, charts[start : start + 2], strict=True), start
        ):
            column.header(title, anchor=False)
            column.plotly_chart(
                figure, key=f"drift_chart_{place}", config=CHART, alt=f"{title}, week by week"
            )


def _explain(choice: DriftChoice) -> None:
    reference = choice.reference
    if reference.weeks is None and reference.scores is None:
        st.caption(
            f"PSI and KS are not shown: they need {FEWEST} films to compare with. They appear by "
            "themselves, or choose other films above."
        )
    st.caption(
        f"Each film counts in the week of its arrival (UTC). Weeks with fewer than {FEWEST} films "
        "for a figure have none. Bars are 95 % intervals; an alarm needs the whole interval to be "
        "beyond the line (dashed). The reference is shaded. What chance alone adds to a PSI is "
        "subtracted. Sensitivity and specificity compare the flag with the last reader, who may "
        "have seen it: they are agreement, not accuracy."
    )


def _senders(sender: SenderFact, groups: Mapping[str, FilmGroup], lines: AlarmLines) -> None:
    """Show the figures of each sender over all weeks shown."""
    st.header(f"By {drift_text.SENDERS[sender].lower()}", anchor=False)
    if not groups:
        st.caption("No film came in these weeks.")
        return
    rows = drift_text.sender_rows(sender, groups, lines)
    st.table(rows, hide_index=True, border="horizontal")
    st.caption(
        "All weeks shown; scores of weeks outside of the reference are compared with the same "
        f"sender's in the reference. {drift_text.ALARM} is beyond a line of the site."
        + (f" Only the {MAX_SENDERS} with most films." if len(rows) == MAX_SENDERS else "")
    )


def _what_changed(changes: list[SiteChange]) -> None:
    st.header("What changed", anchor=False)
    if changes:
        st.table(drift_text.change_rows(changes), hide_index=True, border="horizontal")
    else:
        st.caption("No model was promoted and no new sender appeared in these weeks.")
