"""Measure a checkpoint on labelled films.

    python -m training.evaluate --data DIR [--checkpoint FILE] --json report.json

Writes report.json and, beside it, report.html: one page that needs nothing else. Every labelled
film that can be read is measured, also those that screening would refuse, which are counted.

``--partition validation`` measures on the part of the training data that nothing was fitted or
chosen on; this needs the very films that the checkpoint was trained from. ``--partition test``
opens the published test partition, which no other command does.

``--against FILE`` compares with a second checkpoint on the same films. ``--shortcuts`` scores all
films again with border, letters, size and compression changed (eight times the work).
``--explain`` measures the heatmap.

``--scores FILE`` also writes what the checkpoint says of each film, naming none: beside the
checkpoint, as ``<its stem>.scores.json``, it is what the app's Model page reckons from.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError, TrainingDataError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.metrics import confusion
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier, choose_device
from cxr_app.settings import Settings
from training.command_line.device_option import add_device_option
from training.command_line.output_path import prepare_output
from training.data.anonymous import anonymous
from training.data.dataset import LabelledFilm, find_films
from training.data.splits import own_split
from training.data.tested_films import UsedFilms
from training.explain.cams import METHODS, OWN
from training.explain.explanation import measure_explanations
from training.explain.shortcuts import measure_shortcuts
from training.measure.figures import measure_figures, nan_to_none
from training.measure.operating_points import fixed_points
from training.measure.paired import compare_models
from training.measure.predictions import Predictions, score_films
from training.measure.subgroups import age_group, subgroups
from training.report.misclassified import most_wrong
from training.report.report_page import render

EXPLAINED_FILMS = 32
"""Unless ``--films`` says otherwise: some minutes on two cores."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 done but some films could not be read, 2 usage or settings."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        report = _run(options, Settings.read())
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1, allow_nan=False))
    return 1 if report["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    parser.add_argument("--json", type=Path, required=True, help="the report to write")
    parser.add_argument(
        "--partition",
        choices=("all", "train", "val", "test", "validation"),
        default="all",
        help="the publisher's partition, or 'validation' as described above",
    )
    add_device_option(parser)
    parser.add_argument("--against", type=Path, help="a second checkpoint to compare with")
    parser.add_argument(
        "--prevalence", type=_share, help="share of films with pneumonia where it is to be used"
    )
    parser.add_argument("--scores", type=Path, help="the films' probabilities; see above")
    parser.add_argument("--shortcuts", action="store_true", help="see above")
    parser.add_argument("--explain", action="store_true", help="see above")
    parser.add_argument(
        "--films",
        type=int,
        default=EXPLAINED_FILMS,
        help=f"how many films --explain draws; default: {EXPLAINED_FILMS}",
    )
    parser.add_argument(
        "--cam", choices=METHODS, default=OWN, help="the map that --explain measures; default: ours"
    )
    return parser


def _share(text: str) -> float:
    """Read a prevalence."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; give a number between 0 and 1")
    return value


def _run(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Measure what the command line asks for, and write both reports."""
    if options.json.suffix == ".html":
        raise SettingsError(f"--json is {options.json}; .html is the page's. Give a .json file.")
    for path in filter(None, (options.json, options.json.with_suffix(".html"), options.scores)):
        prepare_output(path)
    device = options.device or settings.device
    source = checkpoint.load(options.checkpoint or settings.checkpoint)
    classifiers = [Classifier(source, choose_device(device))]
    if options.against:
        classifiers.append(Classifier.load(options.against, device))
    classifier = classifiers[0]
    films = choose(find_films(options.data), options.partition, classifier, settings)
    scored, *others = score_films(classifiers, films)
    _keep_tested(scored, settings)
    points = [classifier.operating_points[name] for name in ("balanced", "high_sensitivity")]
    report = report_of(classifier, scored) | {
        "partition": options.partition,
        **fixed_points(scored, points, options.prevalence),
        "subgroups": subgroups(scored, points[0].threshold),
    }
    for other, its_scores in zip(classifiers[1:], others, strict=True):
        report["comparison"] = _compared(classifier, scored, other, its_scores)
    report |= _at_length(options, source, classifier, scored, device)
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
        reference_scores.write(options.scores, _scores(options, classifier, scored))
    return report


def _keep_tested(scored: Predictions, settings: Settings) -> None:
    """Write down which films of a test partition were opened: they never enter training."""
    opened = zip(scored.films, scored.facts, strict=True)
    tested = {facts.sha256 for film, facts in opened if film.partition == "test"}
    UsedFilms(settings.data_dir).add("test", tested)


def _compared(
    classifier: Classifier, scored: Predictions, other: Classifier, its_scores: Predictions
) -> dict[str, Any]:
    """Compare with a second checkpoint, and name it."""
    thresholds = [one.operating_points["balanced"].threshold for one in (classifier, other)]
    found = compare_models(scored, thresholds[0], its_scores, thresholds[1])
    return {"against": other.model_version, **found}


def _scores(options: argparse.Namespace, classifier: Classifier, scored: Predictions) -> FilmScores:
    """Keep what the Model page needs."""
    groups = {
        "view_position": tuple(facts.view_position for facts in scored.facts),
        "patient_sex": tuple(facts.patient_sex for facts in scored.facts),
        "age_group": tuple(age_group(facts) for facts in scored.facts),
    }
    return anonymous(
        scored.probabilities,
        scored.films,
        model_version=classifier.model_version,
        data=options.data,
        partition=options.partition,
        groups=groups,
    )


def _at_length(
    options: argparse.Namespace,
    source: Checkpoint,
    classifier: Classifier,
    scored: Predictions,
    device: str,
) -> dict[str, Any]:
    """Measure what takes longer, where it is asked for."""
    found: dict[str, Any] = {}
    if options.shortcuts:
        found["shortcuts"] = measure_shortcuts(classifier, scored)
    if options.explain:
        found["explanation"] = measure_explanations(
            source, scored, method=options.cam, device=device, films=options.films
        )
    return found


def choose(
    films: Sequence[LabelledFilm], partition: str, classifier: Classifier, settings: Settings
) -> list[LabelledFilm]:
    """Take the films of a partition.

    Raises
    ------
    TrainingDataError
        If there are none, or if the training split cannot be made again from these films.
    """
    chosen = list(films)
    if partition == "validation":
        chosen = _validation(films, classifier, settings)
    elif partition != "all":
        chosen = [film for film in films if film.partition == partition]
    if not chosen:
        raise TrainingDataError(f"No film is in the partition {partition!r}.")
    return chosen


def _validation(
    films: Sequence[LabelledFilm], classifier: Classifier, settings: Settings
) -> list[LabelledFilm]:
    """Make the split of the training again, and check that it is the same."""
    parts = own_split(films, classifier.description, settings.cache_dir)
    if parts is None:
        raise TrainingDataError(
            "These are not the films that the checkpoint was trained from, so its validation part "
            "cannot be found among them. Give the training data, or another --partition."
        )
    return [films[index] for index in parts.validation]


def evaluate(classifier: Classifier, films: Sequence[LabelledFilm]) -> dict[str, Any]:
    """Measure a classifier on labelled films.

    Returns
    -------
    dict
        The report of the contract, and every operating point measured on these films.
    """
    (scored,) = score_films([classifier], films)
    return report_of(classifier, scored)


def report_of(classifier: Classifier, scored: Predictions) -> dict[str, Any]:
    """Measure what a classifier said of films."""
    points = classifier.operating_points
    report = measure_figures(scored.probabilities, scored.films, points["balanced"].threshold)
    report["model_version"] = classifier.model_version
    report["rejected"] = sum(facts.rejected for facts in scored.facts)
    report["failed"] = len(scored.unreadable)
    report["failed_films"] = [str(film.path) for film in scored.unreadable]
    threshold = points["high_sensitivity"].threshold
    counts = confusion(scored.pneumonia, scored.truth, threshold)
    names = ("accuracy", "sensitivity", "specificity", "ppv", "f1")
    sensitive = {name: nan_to_none(getattr(counts, name)) for name in names}
    report["high_sensitivity"] = {"threshold": threshold, **sensitive}
    return report


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
