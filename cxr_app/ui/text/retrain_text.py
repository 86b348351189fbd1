"""A retraining, its challenger and the models that were in use, as a person reads them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from cxr_app.jobs.recipe_list import RecipeFile
from cxr_app.jobs.retraining import Comparison
from cxr_app.model import networks
from cxr_app.ui.components.film_table import TableColumn
from cxr_app.ui.text import formatting, job_text
from cxr_app.worklist import Job, JobState, Promotion

RUNS = (
    TableColumn("recipe", "Recipe", 6),
    TableColumn("films", "Films", 11),
    TableColumn("state", "State", 6),
    TableColumn("found", "Found", 6),
    TableColumn("asked", "Asked for", 8.5),
    TableColumn("took", "Took", 4, kind="number"),
)

LEFT_OUT = {
    "neither": "once used for testing, or of a patient whose film was",
    "contradicting": "with labels that contradict each other",
    "without_cause": "with pneumonia, but no cause told: this network learns causes",
}
"""Films that take no part, by what the command counts them as."""

PASSED, FAILED, UNTESTED = "✓", "✗ worse", "–"


NO_CAUSES = "It tells no causes, and can take the place of no model that does."


def recipe(file: RecipeFile) -> str:
    """Say what a recipe will do, before hours are spent on it."""
    words = f"{file.epochs} epochs; the network reads {file.size} × {file.size}."
    return words if networks.tells_causes(file.architecture) else f"{words} {NO_CAUSES}"


def films(job: Job) -> str:
    """Say what a retraining learns from."""
    parts = [job_text.readable(str(each)) for each in job.parameters["data"]]
    return " · ".join(["reviewed films", *parts] if job.parameters["reviewed"] else parts)


def standing(job: Job) -> str:
    """Say where a retraining stands and how long it will take."""
    parts = [job_text.state(job)]
    if job.started_at is not None:
        parts.append(f"started {job_text.clock(job.started_at)}")
    if job.ended_at is not None and job.started_at is not None:
        parts.append(f"took {formatting.duration(job.ended_at - job.started_at)}")
    if job.state is JobState.RUNNING and (left := time_left(job)):
        parts.append(f"{left} left")
    return " · ".join(parts)


def time_left(job: Job) -> str:
    """Say how long the epochs that are left will take, where that is known."""
    total, done, rate = job.progress.total, job.progress.done, job.progress.rate
    if total is None or rate <= 0 or done >= total:
        return ""
    left = (total - done) / rate
    return (
        f"about {formatting.duration(timedelta(seconds=left))}" if left >= 60 else "under a minute"
    )


def amount(job: Job) -> str:
    """Say how far a retraining is."""
    progress = job.progress
    if progress.exit_status in (0, 1):
        return "Trained and compared"
    if progress.counts.get("comparing"):
        return "Comparing both models on the films kept back"
    if progress.total is None:
        return "Reading the films" if job.state is JobState.RUNNING else "Not begun"
    return f"Epoch {progress.done} of {progress.total}"


def share(job: Job) -> float:
    """Say which part is done, 0 to 1; who stops early for want of progress is done too."""
    progress = job.progress
    ended = progress.exit_status in (0, 1) or progress.counts.get("comparing")
    return 1.0 if ended else job_text.share(job)


def uses(counts: Mapping[str, int]) -> list[str]:
    """Say what the films are used for, and which take no part and why."""
    if "learn" not in counts:
        return []
    kept = formatting.films(counts.get("compare", 0))
    told = [f"Learns from {formatting.films(counts['learn'])}; {kept} kept back to compare on."]
    for name, reason in LEFT_OUT.items():
        if counts.get(name):
            told.append(f"{formatting.films(counts[name])} left out: {reason}.")
    return told


def run_row(job: Job, comparison: Comparison | None, *, shown: bool) -> dict[str, Any]:
    """Say everything that the list of retrainings shows."""
    took = job.ended_at - job.started_at if job.ended_at and job.started_at else None
    found = "" if comparison is None else ("not worse" if comparison.not_worse else "worse")
    return {
        "id": job.id,
        "tone": "" if shown or job.is_active else "quiet",
        "recipe": job.parameters["recipe"],
        "films": films(job),
        "state": job_text.state(job),
        "found": found,
        "asked": f"{job.requested_at.astimezone():%Y-%m-%d %H:%M}",
        "took": formatting.duration(took) if took is not None else "",
    }


def table(comparison: Comparison) -> dict[str, list[str]]:
    """Put both models beside each other, a figure a line."""
    rules = {check["name"]: bool(check["passed"]) for check in comparison.checks}
    lines = list(comparison.figures)
    return {
        "Figure": [str(line["name"]) for line in lines],
        "In use": [_number(line["in_use"]) for line in lines],
        "Challenger": [_number(line["challenger"]) for line in lines],
        "Difference, 95 % interval": [_difference(line) for line in lines],
        "Rule": [_ruling(rules.get(str(line["name"]))) for line in lines],
    }


def groups(comparison: Comparison) -> dict[str, list[str]]:
    """Put the sensitivity of both beside each other, group by group."""
    lines = list(comparison.subgroups)
    return {
        "Group": [str(line["name"]).capitalize() for line in lines],
        "With pneumonia": [f"{line['n_pneumonia']:,}" for line in lines],
        "In use": [_number(line["in_use"]) for line in lines],
        "Challenger": [_number(line["challenger"]) for line in lines],
        "Difference, 95 % interval": [_difference(line) for line in lines],
    }


def rule(comparison: Comparison) -> list[str]:
    """Say the rule, a line for each thing asked, and whether it is so."""
    return [
        f"{'✓' if check['passed'] else '✗'} {check['name']}: {check['allowed']}"
        for check in comparison.checks
    ]


def remedy(comparison: Comparison) -> str:
    """Say what may make a challenger that is worse by the rule good enough."""
    failed = {check["name"] for check in comparison.checks if not check["passed"]}
    advice = {
        "Choose a recipe that tells causes.": "Causes" in failed,
        "More films may help.": failed != {"Causes"},
    }
    return " ".join(words for words, fits in advice.items() if fits)


def measured_on(comparison: Comparison) -> str:
    """Say on which films both were measured."""
    number = comparison.n_normal + comparison.n_pneumonia
    return (
        f"Both on the same {formatting.films(number)} of {comparison.n_patients:,} patients, "
        f"{comparison.n_pneumonia:,} with pneumonia; the challenger learned from none of them."
    )


def caution(comparison: Comparison) -> str:
    """Say what may favour the model in use; empty where nothing does."""
    if not comparison.unknown:
        return ""
    return (
        f"Whether the model in use has learned from {comparison.unknown:,} of these films is not "
        "known. Where it has, they favour it."
    )


def model_name(promotion: Promotion | None, configured: str) -> str:
    """Name the model of a change, None standing for that of the settings."""
    if promotion is None or not promotion.sha256:
        return f"{configured} (the server's own)"
    return promotion.model_version


def change(promotion: Promotion, configured: str) -> str:
    """Say who put which model to use when."""
    moment = f"{promotion.promoted_at.astimezone():%Y-%m-%d %H:%M}"
    who = promotion.promoted_by or "somebody"
    how = "after a comparison" if promotion.job_id else "back to an earlier model"
    return f"{moment} · {model_name(promotion, configured)} · by {who}, {how}"


def configured_model(history: Sequence[Promotion], configured_path: PurePath) -> str:
    """Name the model of the settings as it was known when it was replaced first."""
    return history[-1].replaced_version if history else configured_path.stem


def _ruling(passed: bool | None) -> str:
    if passed is None:
        return UNTESTED
    return PASSED if passed else FAILED


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _difference(line: Mapping[str, Any]) -> str:
    """Say a difference with its interval; of the two of an AUROC the wider."""
    if line["difference"] is None:
        return "–"
    intervals = [line[name] for name in ("ci95", "delong_ci95") if line.get(name)]
    low, high = max(intervals, key=lambda ends: (ends[1] or 0) - (ends[0] or 0))
    told = f"{line['difference']:+.3f}"
    if low is None or high is None:
        return told
    return _signed(f"{told} ({low:+.3f} to {high:+.3f})")


def _signed(text: str) -> str:
    """Write minus signs as such."""
    return text.replace("-", "\N{MINUS SIGN}")
