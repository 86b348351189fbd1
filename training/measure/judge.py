"""Whether a network reads the lungs or the machine: figures by group, by look and under shifts.

Choose recipes by the worst group, the worst look and the worst shift, over several seeds:
validation films come from the same machines as training films, so their AUROC cannot show a
network that recognises the machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.evaluation.intervals import figure_interval, paired_difference
from cxr_app.evaluation.metrics import Booleans, Floats, auroc, confusion
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.radiograph import Image, Radiograph
from training.acquisition.acquired import Acquired, to_pixels
from training.acquisition.fingerprint import SIDE, ThumbnailPixels
from training.acquisition.groups import find_groups
from training.acquisition.looks import Look, look_of, restyle
from training.acquisition.shifts import SHIFTS
from training.data.dataset import LabelledFilm
from training.measure.figures import nan_to_none
from training.measure.predictions import Predictions, mean_with_interval, read_each

FEWEST_COMPARED = 10
"""Films of a class without which a group, a look or a shift is not called the worst."""
DRAWN_FILMS = 200
"""Films of each look and each shift unless the caller says otherwise; half of each class."""
BATCH = 16
FIGURES = ("auroc", "sensitivity", "specificity")

Row = dict[str, Any]
"""One group, look or shift, ready for JSON."""


def acquire(films: Sequence[LabelledFilm], *, seed: int = 0) -> Acquired:
    """Read films at `SIDE` pixels and find their groups; unreadable films are left out."""
    kept, pixels, shapes = [], [], []
    for film, found in read_each(films, _thumbnail):
        if found is not None:
            kept.append(film)
            pixels.append(found[0])
            shapes.append(found[1])
    stacked = np.array(pixels, dtype=np.uint8).reshape(len(kept), SIDE, SIDE)
    sizes = np.array(shapes, dtype=np.int_).reshape(len(kept), 2)
    return Acquired(kept, stacked, find_groups(stacked, sizes, seed=seed), sizes)


def _thumbnail(radiograph: Radiograph) -> tuple[ThumbnailPixels, tuple[int, ...]]:
    return to_pixels(radiograph.image), radiograph.image.shape


def judge(
    classifier: Classifier,
    scored: Predictions,
    acquired: Acquired,
    *,
    films: int = DRAWN_FILMS,
    seed: int = 0,
) -> Row:
    """Measure a classifier by acquisition group, in other groups' looks, and under shifts.

    Parameters
    ----------
    scored
        The films to measure on, as this classifier scored them.
    acquired
        All films at hand: those of `scored` and others that define groups and lend looks.
    films
        How many of the scored films are changed and scored again.

    Returns
    -------
    dict
        Ready for JSON: ``groups``, ``looks``, ``shifts``, the ``worst`` of each, and ``traps``.
    """
    threshold = classifier.operating_points["balanced"].threshold
    groups = by_group(scored, acquired, threshold)
    chosen = scored.part(draw_films(scored, films, seed))
    changes = _Changes(acquired, seed)
    probabilities = _probabilities(classifier, chosen, changes)
    rows = {
        name: _row(name, chosen, probabilities[:, column], threshold)
        for column, name in enumerate(changes.names)
    }
    looks = [rows[name] for name in changes.looks]
    shifts = [rows[name] for name in changes.shifts]
    parts = {"groups": groups, "looks": looks, "shifts": shifts}
    return dict(
        nan_to_none(
            {
                "threshold": threshold,
                "n_changed": len(chosen.films),
                "as_is": _row("as it is", chosen, chosen.pneumonia, threshold),
                **parts,
                "worst": {name: worst(part) for name, part in parts.items()},
                "traps": acquired.traps(),
            }
        )
    )


def by_group(scored: Predictions, acquired: Acquired, threshold: float) -> list[Row]:
    """Measure every acquisition group among the scored films.

    Returns
    -------
    list
        Ready for ``report.json``, key ``groups``.
    """
    group_of, traps = acquired.group_of(), set(acquired.traps())
    names = [group_of.get(str(film.path), "") for film in scored.films]
    return [row | {"one_class": row["name"] in traps} for row in by_name(scored, names, threshold)]


def by_name(scored: Predictions, names: Sequence[str], threshold: float) -> list[Row]:
    """Measure films of each name: a machine, a series, a view; an empty name is left out."""
    rows = []
    for name in sorted(set(names) - {""}):
        part = scored.part(np.array(names) == name)
        row = _row(name, part, part.pneumonia, threshold)
        rows.append(dict(nan_to_none(row | _too_few(row))))
    return rows


def _too_few(row: Row) -> Row:
    """Return a remark for a group that has too few films of a class to be compared."""
    few = [
        f"{row[key]} {words}"
        for key, words in (("n_normal", "without pneumonia"), ("n_pneumonia", "with pneumonia"))
        if row[key] < FEWEST_COMPARED
    ]
    if not few:
        return {}
    return {"remark": f"Films {' and '.join(few)}; at least {FEWEST_COMPARED} are needed."}


def _row(name: str, part: Predictions, probabilities: Floats, threshold: float) -> Row:
    """Measure probabilities of some films; figures without films are NaN."""
    truth, patients = part.truth, part.patients
    row: Row = {
        "name": name,
        "n_normal": int(np.sum(~truth)),
        "n_pneumonia": int(np.sum(truth)),
    }
    for figure in FIGURES:
        value = _figure(figure, threshold)
        row[figure] = value(probabilities, truth)
        row[f"{figure}_ci95"] = figure_interval(value, probabilities, truth, patients)
    for label, chosen in (("normal", ~truth), ("pneumonia", truth)):
        row |= _mean(f"mean_probability_{label}", probabilities[chosen], np.array(patients)[chosen])
    return row


def _figure(name: str, threshold: float) -> Any:
    """Return a figure as a function of probabilities and truth."""
    if name == "auroc":
        return auroc
    return lambda probabilities, truth: float(
        getattr(confusion(probabilities, truth, threshold), name)
    )


def _mean(name: str, values: Floats, patients: NDArray[np.str_]) -> Row:
    """Return a mean and its interval by drawing patients."""
    found = mean_with_interval(values, list(patients), share=True)
    return {name: found["value"], f"{name}_ci95": found["ci95"]}


def worst(rows: Sequence[Row]) -> Row:
    """Return, for each figure, the row with the lowest value among those with enough films."""
    needed = {
        "auroc": ("n_normal", "n_pneumonia"),
        "sensitivity": ("n_pneumonia",),
        "specificity": ("n_normal",),
    }
    found: Row = {}
    for figure, counts in needed.items():
        enough = [row for row in rows if min(row[key] for key in counts) >= FEWEST_COMPARED]
        lowest = min(enough, key=lambda row: row[figure], default=None)
        found[figure] = lowest and {
            "name": lowest["name"],
            "value": lowest[figure],
            "ci95": lowest[f"{figure}_ci95"],
        }
    return found


def draw_films(scored: Predictions, films: int, seed: int) -> Booleans:
    """Choose films of both classes at random, half of each where there are enough."""
    truth = scored.truth
    order = np.random.default_rng(seed).permutation(len(truth))
    chosen = np.zeros(len(truth), dtype=np.bool_)
    for positive in (False, True):
        chosen[[place for place in order if truth[place] == positive][: max(1, films // 2)]] = True
    return chosen


class _Changes:
    """Every look and every shift, applied to one film after another."""

    def __init__(self, acquired: Acquired, seed: int) -> None:
        self._pixels = acquired.pixels
        self._donors = acquired.donors()
        self._random = np.random.default_rng(seed)
        self._looks: dict[int, Look] = {}
        self.looks = [f"look of {name}" for name in self._donors]
        self.shifts = list(SHIFTS)
        self.names = [*self.looks, *self.shifts]

    def of(self, image: Image) -> Iterator[Image]:
        """Yield a film under every change, in the order of `names`."""
        film = to_pixels(image)
        own = look_of(film)
        for members in self._donors.values():
            donor = int(self._random.choice(members))
            yield restyle(film, own, self._look(donor)).astype(np.float32) / np.float32(255)
        for shift in SHIFTS.values():
            yield shift(image)

    def _look(self, donor: int) -> Look:
        if donor not in self._looks:
            self._looks[donor] = look_of(self._pixels[donor])
        return self._looks[donor]


def _probabilities(classifier: Classifier, scored: Predictions, changes: _Changes) -> Floats:
    """Score films under every change; return probabilities of pneumonia, ``(n, changes)``."""

    def images(radiograph: Radiograph) -> Image:
        return radiograph.image

    rows = []
    for _, image in read_each(scored.films, images):
        # Films that were scored can be read; one that has gone since then counts as missing.
        if image is None:
            rows.append([float("nan")] * len(changes.names))
            continue
        inputs = [classifier.prepare(changed) for changed in changes.of(image)]
        rows.append(_predicted(classifier, inputs))
    return np.array(rows).reshape(len(rows), len(changes.names))


def _predicted(classifier: Classifier, inputs: Sequence[NetworkInput]) -> list[float]:
    """Return the probability of pneumonia of each input."""
    found: list[float] = []
    for start in range(0, len(inputs), BATCH):
        predictions = classifier.predict(inputs[start : start + BATCH])
        found += [prediction.pneumonia_probability for prediction in predictions]
    return found


def table(judged: Mapping[str, Any]) -> str:
    """Write what `judge` returned as a table for a terminal."""
    lines = [_line("", ("normal", "pneum.", "AUROC", "sensitivity", "specificity", "p(normal)"))]
    for title, rows in (
        ("Acquisition groups", judged["groups"]),
        (f"{judged['n_changed']} films re-rendered", [judged["as_is"], *judged["looks"]]),
        ("Acquisition shifts", judged["shifts"]),
    ):
        lines += ["", title, *(_line(*_cells(row)) for row in rows)]
    if judged.get("lungs"):
        lines += ["", f"{'Lungs':<44}{'films':>7}{'Dice':>19}{'worst twentieth':>19}"]
        lines += [_lungs_line(row) for row in judged["lungs"]]
    lines += ["", "Worst"]
    for part, found in judged["worst"].items():
        lines += [
            f"  {part[:-1]}: {figure} {entry['value']:.3f} ({entry['name']})"
            for figure, entry in found.items()
            if entry is not None
        ]
    lines += [
        f"Trap: all films of {name!r} have the same class; a network can learn the machine."
        for name in judged["traps"]
    ]
    return "\n".join(lines)


def _lungs_line(row: Mapping[str, Any]) -> str:
    found = f"{row['n']:>7}{_share(row['dice'], row['dice_ci95']):>19}"
    return f"{row['name'][:44]:<44}{found}{row['dice_worst_twentieth']:>19.3f}"


def _cells(row: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """Return the name and the cells of a row."""
    name = row["name"] + (" [one class]" if row.get("one_class") else "")
    mean = row["mean_probability_normal"]
    counts = [str(row["n_normal"]), str(row["n_pneumonia"])]
    shares = [_share(row[figure], row[f"{figure}_ci95"]) for figure in FIGURES]
    return name, [*counts, *shares, "-" if mean is None else f"{mean:.3f}"]


def _share(value: float | None, interval: Sequence[float | None]) -> str:
    """Write a figure with its interval."""
    if value is None or interval[0] is None:
        return "-"
    return f"{value:.3f} ({interval[0]:.2f}-{interval[1]:.2f})"


def _line(name: str, cells: Sequence[str]) -> str:
    """Format one line of the table."""
    widths = (7, 7, 19, 19, 19, 10)
    laid = "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{name[:44]:<44}{laid}".rstrip()


def compare_groups(
    first: Predictions, second: Predictions, acquired: Acquired, thresholds: Sequence[float]
) -> list[Row]:
    """Compare two models by acquisition group, each at its own threshold.

    Returns
    -------
    list
        One row for each group and figure with enough films: the value of the first and of the
        second model, the difference (second less first), its interval and a remark.
    """
    group_of = acquired.group_of()
    names = np.array([group_of.get(str(film.path), "") for film in first.films])
    rows: list[Row] = []
    for name in sorted(set(names) - {""}):
        for figure, of_class in (("sensitivity", True), ("specificity", False)):
            chosen = (names == name) & (first.truth == of_class)
            if chosen.sum() >= FEWEST_COMPARED:
                pair = (first.part(chosen), second.part(chosen))
                rows.append(
                    {"name": str(name), "figure": figure, **_paired(pair, figure, thresholds)}
                )
    return [dict(nan_to_none(row)) for row in rows]


def _paired(pair: tuple[Predictions, Predictions], figure: str, thresholds: Sequence[float]) -> Row:
    """Compare one figure of two models on the same films."""
    truth = pair[0].truth
    values = [_figure(figure, threshold) for threshold in thresholds]

    def difference(drawn: NDArray[np.intp] | slice) -> float:
        here, there = (
            value(each.pneumonia[drawn], truth[drawn])
            for value, each in zip(values, pair, strict=True)
        )
        return float(there - here)

    found = paired_difference(difference, pair[0].patients)
    first, second = (v(each.pneumonia, truth) for v, each in zip(values, pair, strict=True))
    return {
        "n": len(truth),
        "first": first,
        "second": second,
        "difference": found.value,
        "ci95": found.ci95,
        "remark": found.remark(),
    }
