"""The report of a checkpoint: everything that `training.evaluate` measures and writes."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from cxr_app.errors import SettingsError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.device import choose_device
from cxr_app.settings import Settings
from training.command_line.output_path import prepare_output
from training.data.anonymous import anonymous
from training.data.dataset import find_films
from training.data.tested_films import UsedFilms
from training.explain.explanation import measure_explanations
from training.explain.shortcuts import measure_shortcuts
from training.measure.extents import extent_figures
from training.measure.figures import classifier_figures, nan_to_none
from training.measure.judge import acquire, by_group, by_name
from training.measure.operating_points import fixed_points
from training.measure.paired import compare_models
from training.measure.pointing import pointing
from training.measure.predictions import Predictions, score_films
from training.measure.subgroups import film_age_group, subgroups
from training.report.misclassified import most_wrong
from training.report.partitions import films_of_partition
from training.report.report_page import render


class EvaluateOptions(Namespace):
    """Options of `training.evaluate`, whose help describes them."""

    data: Path
    checkpoint: Path | None
    json: Path
    partition: str
    device: str | None
    against: Path | None
    prevalence: float | None
    scores: Path | None
    shortcuts: bool
    explain: bool
    films: int
    cam: str


def write_report(options: EvaluateOptions, settings: Settings) -> dict[str, Any]:
    """Measure a checkpoint, write report.json and report.html, and return the report."""
    _check_paths(options)
    device = options.device or settings.device
    source = checkpoint.load(options.checkpoint or settings.checkpoint)
    classifier = Classifier(source, choose_device(device))
    others = [Classifier.load(options.against, device)] if options.against else []
    films = films_of_partition(
        find_films(options.data), options.partition, classifier, settings.cache_dir
    )
    scored, *others_scored = score_films([classifier, *others], films)
    _record_tested(scored, settings)
    points = [classifier.operating_points[name] for name in ("balanced", "high_sensitivity")]
    report = classifier_figures(classifier, scored) | {
        "partition": options.partition,
        **fixed_points(scored, points, options.prevalence),
        "subgroups": subgroups(scored, points[0].threshold),
        "groups": _groups(scored, points[0].threshold),
        **pointing(scored),
        **nan_to_none(extent_figures(scored)),
    }
    for other, other_scored in zip(others, others_scored, strict=True):
        report["comparison"] = _comparison(classifier, scored, other, other_scored)
    report |= _optional_parts(options, source, classifier, scored, device)
    wrong = most_wrong(classifier, scored)
    report["most_wrong"] = {
        kind: [film.as_document() for film in some]
        for kind, some in zip(("missed", "falsely_flagged"), wrong, strict=True)
    }
    page = render(report, scored, points, wrong, prevalence_given=options.prevalence is not None)
    text = json.dumps(report, indent=1, allow_nan=False)
    options.json.write_text(text + "\n", encoding="utf-8")
    options.json.with_suffix(".html").write_text(page, encoding="utf-8")
    if options.scores:
        reference_scores.write(options.scores, _film_scores(options, classifier, scored))
    return report


def _groups(scored: Predictions, threshold: float) -> list[dict[str, Any]]:
    """Measure acquisition groups, and the views that header or manifest name."""
    views = [f"view {facts.view_position}" * bool(facts.view_position) for facts in scored.facts]
    groups = by_group(scored, acquire(scored.films), threshold)
    return [dict(row) for row in (*groups, *by_name(scored, views, threshold))]


def _check_paths(options: EvaluateOptions) -> None:
    """Check, before anything is measured, that all files can be written."""
    if options.json.suffix == ".html":
        raise SettingsError(
            f"--json is {options.json}, but the page is written to a .html file of that name. "
            "Give a .json file."
        )
    for path in filter(None, (options.json, options.json.with_suffix(".html"), options.scores)):
        prepare_output(path)


def _record_tested(scored: Predictions, settings: Settings) -> None:
    """Record which films of a test partition were opened: they are never used for training."""
    opened = zip(scored.films, scored.facts, strict=True)
    tested = {facts.sha256 for film, facts in opened if film.partition == "test"}
    UsedFilms(settings.data_dir).add("test", tested)


def _comparison(
    classifier: Classifier, scored: Predictions, other: Classifier, other_scored: Predictions
) -> dict[str, Any]:
    """Compare with a second checkpoint."""
    thresholds = [one.operating_points["balanced"].threshold for one in (classifier, other)]
    found = compare_models(scored, thresholds[0], other_scored, thresholds[1])
    return {"against": other.model_version, **found}


def _film_scores(
    options: EvaluateOptions, classifier: Classifier, scored: Predictions
) -> FilmScores:
    """Collect what the Model page needs, without naming any film."""
    groups = {
        "view_position": tuple(facts.view_position for facts in scored.facts),
        "patient_sex": tuple(facts.patient_sex for facts in scored.facts),
        "age_group": tuple(film_age_group(facts) for facts in scored.facts),
    }
    return anonymous(
        scored.probabilities,
        scored.films,
        model_version=classifier.model_version,
        data=options.data,
        partition=options.partition,
        groups=groups,
    )


def _optional_parts(
    options: EvaluateOptions,
    source: Checkpoint,
    classifier: Classifier,
    scored: Predictions,
    device: str,
) -> dict[str, Any]:
    """Measure the parts that take long, if they are asked for."""
    found: dict[str, Any] = {}
    if options.shortcuts:
        found["shortcuts"] = measure_shortcuts(classifier, scored)
    if options.explain:
        found["explanation"] = measure_explanations(
            source, scored, method=options.cam, device=device, films=options.films
        )
    return found
