"""The kinds of jobs: how a request is checked, and which command does it."""

import csv
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cxr_app.atomic_file import atomic_path
from cxr_app.errors import JobError
from cxr_app.jobs.allowed_folders import allowed_films, allowed_folder, outermost
from cxr_app.jobs.recipe_list import recipe_named
from cxr_app.settings import Settings
from cxr_app.worklist import Cause, ReviewedFilm, Worklist

BACKLOG = "backlog"
RETRAINING = "retraining"

RESULTS = "results.csv"
PROGRESS = "progress.json"
REVIEWED = "reviewed.csv"

Request = TypeVar("Request", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job.

    Parameters
    ----------
    accept
        Turns a request into parameters, or raises `JobError` if it cannot be done.
    command
        Returns the command that does the job, from its parameters and its own folder. The command
        writes `PROGRESS` there, and resumes where it stopped when it is started again.
    prepare
        Writes into the job's folder what the command needs from the worklist.
    """

    accept: Callable[[Settings, Mapping[str, Any]], dict[str, Any]]
    command: Callable[[Mapping[str, Any], Path], list[str]]
    prepare: Callable[[Worklist, Mapping[str, Any], Path], None] = lambda *_: None


class BacklogRequest(BaseModel):
    """Parameters of a backlog; `accept_backlog` adds the others."""

    model_config = ConfigDict(extra="allow")

    folder: str
    retry_failed: bool = False


class RetrainingRequest(BaseModel):
    """Parameters of a retraining; `accept_retraining` adds the others."""

    model_config = ConfigDict(extra="allow")

    data: list[str]
    reviewed: bool
    recipe: str


def accept_backlog(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Check that the settings allow the folder, and return the parameters."""
    request = _checked(BacklogRequest, asked)
    roots = settings.backlog_roots
    if request.folder == str(settings.films_dir):  # uploaded films may be scored again
        roots = (settings.films_dir,)
    folder = allowed_folder(request.folder, roots, "CXR_BACKLOG_FOLDERS")
    return {**asked, "folder": str(folder), "within": [str(root) for root in roots]}


def backlog_command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    """Return the command that scores a folder."""
    command = [sys.executable, "-m", "training.batch", parameters["folder"]]
    command += ["--out", str(place / RESULTS), "--progress", str(place / PROGRESS)]
    command += ["--workers", str(job_threads())]
    command += [f"--within={root}" for root in parameters["within"]]
    return [*command, "--retry-failed"] if parameters.get("retry_failed") else command


def accept_retraining(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Check films and recipe, and return the parameters.

    The films must be allowed by the settings or reviewed by readers.
    """
    request = _checked(RetrainingRequest, asked)
    data = outermost(
        [
            str(allowed_films(each, settings.training_roots, "CXR_TRAINING_FOLDERS"))
            for each in request.data
        ]
    )
    if not data and not request.reviewed:
        raise JobError("Choose films to train on: a folder, a manifest or the reviewed films.")
    recipe = recipe_named(settings, request.recipe)
    within = [str(root) for root in settings.training_roots]
    return {**asked, "data": data, "recipe_path": str(recipe.path), "within": within}


def retraining_command(parameters: Mapping[str, Any], place: Path) -> list[str]:
    """Return the command that trains and compares a challenger."""
    command = [sys.executable, "-m", "training.retrain", "--out", str(place)]
    command += ["--recipe", parameters["recipe_path"], "--progress", str(place / PROGRESS)]
    command += [f"--data={each}" for each in parameters["data"]]
    command += [f"--within={root}" for root in parameters["within"]]
    return [*command, f"--reviewed={place / REVIEWED}"] if parameters["reviewed"] else command


def write_reviewed(worklist: Worklist, parameters: Mapping[str, Any], place: Path) -> None:
    """Write the manifest of the reviewed films; a resumed job keeps the one it has."""
    manifest = place / REVIEWED
    if not parameters["reviewed"] or manifest.exists():
        return
    with (
        atomic_path(manifest) as partial,
        partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("path", "target", "cause", "patient_id", "partition"))
        writer.writerows(_reviewed_row(film) for film in worklist.reviews.reviewed_films())


def _reviewed_row(film: ReviewedFilm) -> tuple[str, ...]:
    """Return a film's row of the manifest; without a patient id, the film is its own patient."""
    cause = film.cause.value.lower() if film.cause in (Cause.BACTERIAL, Cause.VIRAL) else ""
    target = "PNEUMONIA" if film.pneumonia else "NORMAL"
    return (str(film.path), target, cause, film.patient_id or f"film {film.sha256}", "")


def _checked(model: type[Request], asked: Mapping[str, Any]) -> Request:
    """Check parameters, which may come from the database of an older program."""
    try:
        return model.model_validate(dict(asked))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise JobError(f"The job's parameters cannot be used: {problems}.") from error


def job_threads() -> int:
    """Return the number of threads of a job: one core is left to the readers."""
    return max(1, (os.cpu_count() or 1) - 1)


KINDS: Mapping[str, JobKind] = {
    BACKLOG: JobKind(accept_backlog, backlog_command),
    RETRAINING: JobKind(accept_retraining, retraining_command, write_reviewed),
}
