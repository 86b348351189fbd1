"""Text and table rows for a retraining, its challenger and the models in use so far."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from cxr_app import display_text
from cxr_app.evaluation.intervals import auroc_difference_reach
from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.jobs.kinds import job_threads
from cxr_app.jobs.recipe_list import RecipeFile
from cxr_app.jobs.retraining import Comparison, ComparisonResult
from cxr_app.model.architectures import predicts_causes
from cxr_app.ui.components.film_table import TableColumn
from cxr_app.ui.text import formatting, job_text
from cxr_app.worklist import Job, JobState, Promotion, Proposal, ReviewedCounts

RETRAININGS = (
    TableColumn("recipe", "Recipe", 6),
    TableColumn("films", "Films", 11),
    TableColumn("state", "State", 6),
    TableColumn("result", "Result", 6),
    TableColumn("requested", "Requested", 8.5),
    TableColumn("took", "Duration", 4, kind="number"),
)

LEFT_OUT = {
    "neither": "already used for testing, or from a patient with a film used for testing",
    "contradicting": "contradictory labels",
    "copies": "further copies of the same film",
    "without_cause": "pneumonia of unspecified cause; this network learns causes",
}
"""Reasons why films are left out, by the key that the training command counts them under."""

PASSED, FAILED, UNTESTED = "✓", "✗ not met", "–"

RESULTS = {
    ComparisonResult.NOT_WORSE: "not worse",
    ComparisonResult.WORSE: "worse",
    ComparisonResult.NOT_SHOWN: "not shown",
}

NOT_USABLE = {
    "without_cause": "with pneumonia of unspecified cause, because the network learns causes",
    "unsure": "whose reader was unsure",
    "unusable": "not usable",
    "disputed": "in which two readers differ, until it is settled",
    "turned": "turned or mirrored by a reader",
    "deleted": "no longer kept",
}
"""Why reviewed films are left out, by the field of `ReviewedCounts`."""

FEWEST_PATIENTS, ONE_IN, HELD_IF_FEW = 10, 5, 2
"""As in `training.data.splits` and `training.data.holdout`; a test compares them."""

FEWEST_IN_ALL = FEWEST * ONE_IN // HELD_IF_FEW

TUNED_ONE_IN, BALANCED_SENSITIVITY = 10, 0.97
"""As in `training.data.splits` and the shipped recipe's calibration; a test compares them."""

AUROC_MARGIN = 0.01
"""As in `training.measure.acceptance`, which the app does not import; a test compares them."""

NO_CAUSES = "Does not distinguish causes, so it cannot replace a model that does."


def recipe(file: RecipeFile, jobs: Sequence[Job] = ()) -> str:
    """Return a summary of a recipe, shown before hours are spent on it.

    Parameters
    ----------
    jobs
        Earlier retrainings, newest first.
    """
    size = f"{file.epochs} epochs; network input {file.size} × {file.size} pixels."
    causes = "" if predicts_causes(file.architecture) else NO_CAUSES
    return " ".join(
        filter(None, (file.purpose, size, causes, _duration(file, jobs), _memory(file)))
    )


def _duration(file: RecipeFile, jobs: Sequence[Job]) -> str:
    """Return how long a recipe took here the last time or, before that, what is expected."""
    for job in jobs:
        films = job.progress.counts.get("learn")
        if job.parameters["recipe"] == file.name and job.state is JobState.COMPLETED and films:
            return f"The last one here took {job_text.took(job)} for {formatting.films(films)}."
    if file.cost is None:
        return ""
    threads = job_threads()
    expected = formatting.duration(timedelta(seconds=1000 * file.cost.core_seconds / threads))
    cores = "1 core" if threads == 1 else f"{threads} cores"
    return f"About {expected} for 1,000 films with the {cores} of this server that jobs may use."


def _memory(file: RecipeFile) -> str:
    return "" if file.cost is None else f"About {file.cost.memory_mib / 1024:.1f} GB of memory."


def minimum() -> str:
    """Return how many films a retraining needs."""
    return (
        f"Needed at least: films of {FEWEST_PATIENTS} patients each without, with bacterial and "
        f"with viral pneumonia to train on, and {FEWEST} films with and {FEWEST} without pneumonia "
        f"among the {HELD_IF_FEW} patients in {ONE_IN} held out: some {FEWEST_IN_ALL} patients "
        f"with and {FEWEST_IN_ALL} without pneumonia."
    )


def precision(reviewed_only: int = 0) -> str:
    """Return how well a comparison can tell two models apart, before it is begun.

    Parameters
    ----------
    reviewed_only
        Number of films if only reviewed ones are chosen; 0 if it is unknown.
    """
    known = next(n for n in range(100, 10_000, 100) if auroc_difference_reach(n) < AUROC_MARGIN)
    reach = auroc_difference_reach(100)
    told = [
        f"On 100 held-out films a difference in AUROC is known to ±{reach:.2f}, on {known:,} to "
        f"the ±{AUROC_MARGIN} that the rule allows; with fewer, a challenger that is not worse may "
        "not be shown to be so."
    ]
    held_out = reviewed_only * HELD_IF_FEW // ONE_IN
    if held_out >= 2:
        reach = auroc_difference_reach(held_out)
        told.append(f"Of the films chosen some {held_out:,} are held out: ±{reach:.2f}.")
    return " ".join(told)


def point_films() -> str:
    """Return how many films the operating points need, before their choice is left to chance."""
    fewest = math.ceil(1 / (1 - BALANCED_SENSITIVITY))
    patients = fewest * TUNED_ONE_IN * ONE_IN // (ONE_IN - HELD_IF_FEW)
    return (
        f"Operating points are chosen on one in {TUNED_ONE_IN} of the patients to train on. With "
        f"fewer than {fewest} such films with pneumonia, of some {patients} patients with "
        "pneumonia in all, one or two that look least ill decide the threshold of *balanced*: a "
        "good network may then flag most films without pneumonia."
    )


def reviewed(counts: ReviewedCounts) -> str:
    """Return how many reviewed films can be used, and why the others cannot."""
    if not counts.reviewed:
        return ""
    usable = (
        f"Of {formatting.films(counts.reviewed)} reviewed, {counts.usable:,} can be used: "
        f"{counts.normal:,} without pneumonia, {counts.bacterial:,} bacterial, {counts.viral:,} "
        "viral."
    )
    left_out = [
        f"{getattr(counts, name):,} {reason}"
        for name, reason in NOT_USABLE.items()
        if getattr(counts, name)
    ]
    return f"{usable} Left out: {', '.join(left_out)}." if left_out else usable


def shortage(counts: ReviewedCounts) -> str:
    """Return why the reviewed films alone are too few; empty if they may be enough."""
    pneumonia = counts.bacterial + counts.viral
    if counts.normal >= FEWEST and pneumonia >= FEWEST:
        return ""
    return (
        f"The reviewed films alone are too few: {counts.normal:,} without and {pneumonia:,} with "
        "pneumonia and its cause. Choose a folder as well, or review more films."
    )


def training_films(job: Job) -> str:
    """Return the names of the training films."""
    parts = [job_text.readable(str(each)) for each in job.parameters["data"]]
    return " · ".join(["reviewed films", *parts] if job.parameters["reviewed"] else parts)


def progress(job: Job) -> str:
    """Return the text of a retraining's progress bar."""
    now = job.progress
    if now.exit_status in (0, 1):
        return "Trained and compared"
    if now.counts.get("comparing"):
        return "Comparing both models on the held-out films"
    if now.total is None:
        return _reading(job) if job.state is JobState.RUNNING else "Not started"
    if job.is_active and not now.done:
        return f"Epoch 1 of {now.total} is running"
    return f"Epoch {now.done} of {now.total}"


def _reading(job: Job) -> str:
    counts = job.progress.counts
    if "reading" not in counts:
        return "Checking the films"
    return f"Reading the films: {counts['reading']:,} of {counts['films']:,}"


def failure(job: Job, reason: str, *, begun: bool) -> str:
    """Return why a retraining failed, and what to do.

    Parameters
    ----------
    reason
        Its message, as it may be shown.
    begun
        Whether it can be resumed.
    """
    if begun:
        return f"Not finished: {job_text.failure(reason)}"
    if job.progress.exit_status is None:  # it did not come to its films
        return f"Not trained: {reason} Put this right, then start again."
    return f"Not trained: {reason} Choose other films, or put this right, and start again."


def fraction_done(job: Job) -> float:
    """Return the completed fraction in [0, 1]; early stopping counts as complete."""
    now = job.progress
    ended = now.exit_status in (0, 1) or now.counts.get("comparing")
    return 1.0 if ended else job_text.fraction_done(job)


def film_use(counts: Mapping[str, int]) -> list[str]:
    """Return how many films are used for what, and how many are left out and why."""
    if "learn" not in counts:
        return []
    held_out = formatting.films(counts.get("compare", 0))
    lines = [f"Training on {formatting.films(counts['learn'])}; {held_out} held out to compare."]
    for name, reason in LEFT_OUT.items():
        if counts.get(name):
            lines.append(f"{formatting.films(counts[name])} left out: {reason}.")
    return lines


def retraining_row(job: Job, comparison: Comparison | None, *, shown: bool) -> dict[str, Any]:
    """Return a row of the list of retrainings."""
    result = "" if comparison is None else RESULTS[comparison.result]
    return job_text.list_row(job, shown=shown) | {
        "recipe": job.parameters["recipe"],
        "films": training_films(job),
        "result": result,
    }


def model_in_use(*, is_current: bool) -> str:
    """Return what to call the model that a challenger was compared with."""
    return "the model in use" if is_current else "the model in use at that time"


def metric_table(comparison: Comparison, *, is_current: bool) -> dict[str, list[str]]:
    """Return the metrics of both models side by side."""
    rules = {check["name"]: bool(check["passed"]) for check in comparison.checks}
    lines = list(comparison.figures)
    return {
        "Metric": [str(line["name"]) for line in lines],
        **_side_by_side(lines, is_current=is_current),
        "Rule": [_rule_mark(rules.get(str(line["name"]))) for line in lines],
    }


def subgroup_table(comparison: Comparison, *, is_current: bool) -> dict[str, list[str]]:
    """Return the sensitivities of both models side by side, by subgroup."""
    lines = list(comparison.subgroups)
    return {
        "Group": [str(line["name"]).capitalize() for line in lines],
        "With pneumonia": [f"{line['n_pneumonia']:,}" for line in lines],
        **_side_by_side(lines, is_current=is_current),
    }


def rule_lines(comparison: Comparison) -> list[str]:
    """Return each condition of the acceptance rule, marked as met or not."""
    return [
        f"{'✓' if check['passed'] else '✗'} {check['name']}: {check['allowed']}"
        for check in comparison.checks
    ]


def advice(comparison: Comparison) -> str:
    """Return what may help if the challenger is worse by the rule."""
    failed = {check["name"] for check in comparison.checks if not check["passed"]}
    suggestions = {
        "Choose a recipe that distinguishes causes.": "Causes" in failed,
        "More films may help.": failed != {"Causes"},
    }
    return " ".join(sentence for sentence, applies in suggestions.items() if applies)


def verdict(comparison: Comparison) -> str:
    """Return what the comparison shows, and what follows from it."""
    if comparison.result is ComparisonResult.NOT_WORSE:
        return "✓ **Not worse by the rule.** A person decides whether to use it."
    if comparison.result is ComparisonResult.WORSE:
        return f"✗ **Worse by the rule:** it cannot be promoted. {advice(comparison)}"
    films = comparison.n_normal + comparison.n_pneumonia
    return (
        "△ **Not shown with so few films:** it may be better or worse, and cannot be promoted. "
        f"{formatting.films(films)} were compared{_films_needed(comparison, films)}."
    )


def _films_needed(comparison: Comparison, films: int) -> str:
    """Return how many films would show it if the difference in AUROC stays as it is."""
    line = next((line for line in comparison.figures if line["name"] == "AUROC"), None)
    interval = _widest(line) if line else None
    if line is None or interval is None or line["difference"] is None:
        return ""
    reach = (interval[1] - interval[0]) / 2
    room = line["difference"] + AUROC_MARGIN
    if reach <= 0 or room <= 0 or interval[0] > -AUROC_MARGIN:
        return ""
    needed = math.ceil(films * (reach / room) ** 2 / 10) * 10
    return (
        f"; about {needed:,} would show that the AUROC is not worse, if the difference stays as it "
        "is"
    )


def evaluation_films(comparison: Comparison) -> str:
    """Return which films both models were evaluated on."""
    number = comparison.n_normal + comparison.n_pneumonia
    return (
        f"Both models on the same {formatting.films(number)} from {comparison.n_patients:,} "
        f"patients, {comparison.n_pneumonia:,} with pneumonia. The challenger was trained on none "
        "of them."
    )


def caution(comparison: Comparison, *, is_current: bool) -> str:
    """Return what may favour the model that was compared with; empty if nothing does."""
    if not comparison.unknown:
        return ""
    return (
        f"It is unknown whether {model_in_use(is_current=is_current)} was trained on "
        f"{comparison.unknown:,} of these films. If it was, they favour it."
    )


def model_name(promotion: Promotion) -> str:
    """Return the name of a promoted model, or of the one that the settings name."""
    if promotion.sha256:
        return promotion.model_version
    version = promotion.model_version
    return f"{version} (server default)" if version else "server default"


def promotion_line(promotion: Promotion) -> str:
    """Return when, by whom and how a model was put into use."""
    who = promotion.promoted_by or "unknown"
    how = "after a comparison" if promotion.job_id else "back to an earlier model"
    moment = display_text.timestamp(promotion.promoted_at)
    return f"{moment} · {model_name(promotion)} · by {who}, {how}"


def proposed(proposal: Proposal) -> str:
    """Return who has proposed a model, and when."""
    return f"Proposed by {proposal.proposed_by}, {display_text.timestamp(proposal.proposed_at)}."


def _side_by_side(lines: Sequence[Mapping[str, Any]], *, is_current: bool) -> dict[str, list[str]]:
    in_use = "In use" if is_current else "In use at that time"
    return {
        in_use: [_number(line["in_use"]) for line in lines],
        "Challenger": [_number(line["challenger"]) for line in lines],
        "Difference, 95 % interval": [_difference(line) for line in lines],
    }


def _rule_mark(passed: bool | None) -> str:
    if passed is None:
        return UNTESTED
    return PASSED if passed else FAILED


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _difference(line: Mapping[str, Any]) -> str:
    """Return a difference with its interval; an AUROC has two, and the wider is shown."""
    if line["difference"] is None:
        return "–"
    difference = f"{line['difference']:+.3f}"
    interval = _widest(line)
    if interval is None:
        return difference
    low, high = interval
    return f"{difference} ({low:+.3f} to {high:+.3f})".replace("-", "\N{MINUS SIGN}")


def _widest(line: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the wider of a figure's intervals; None if a limit is unknown."""
    intervals = [line[name] for name in ("ci95", "delong_ci95") if line.get(name)]
    if not intervals:
        return None
    low, high = max(intervals, key=lambda ends: (ends[1] or 0) - (ends[0] or 0))
    return None if low is None or high is None else (low, high)
