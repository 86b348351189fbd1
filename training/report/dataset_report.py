"""What a data set holds, before anything is trained on it: counts, tones, machines, duplicates.

One page that needs nothing else: no server, no network, no script, and no patient's name.
"""

import base64
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.evaluation.metrics import auroc
from training.acquisition.acquired import Acquired
from training.acquisition.groups import one_class_groups
from training.data.dataset import LabelledFilm, pixel_digests

EXAMPLES = 10
"""Films shown of each class and of each group."""
SIDE = 120
"""Pixels of an example's side."""
QUALITY = 75
MOST_DUPLICATES = 40
"""Rows of the table of duplicates."""
CLASSES = ("NORMAL", "bacterial", "viral", "PNEUMONIA")
"""Classes of the page: a pneumonia of known cause is counted by its cause."""
COLOURS = {"NORMAL": "#2f7d6b", "bacterial": "#c8553d", "viral": "#d99a2b", "PNEUMONIA": "#8b5fa8"}
WIDTH, HEIGHT = 520, 240
"""Of a chart, in pixels."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a chart: its name, its colour, and points as SVG writes them."""

    name: str
    colour: str
    points: str


def class_of(film: LabelledFilm) -> str:
    """Return the class under which a film is counted."""
    return film.cause or film.target


def describe(acquired: Acquired, *, unreadable: int = 0) -> dict[str, Any]:
    """Count what a data set holds.

    Parameters
    ----------
    unreadable
        Films that could not be read; they are nowhere else.

    Returns
    -------
    dict
        Ready for JSON; file names are in ``duplicates`` alone.
    """
    films = acquired.films
    pneumonia = np.array([film.target == "PNEUMONIA" for film in films])
    return {
        "n": len(films),
        "n_normal": int(np.sum(~pneumonia)),
        "n_pneumonia": int(np.sum(pneumonia)),
        "n_patients": len({film.patient_id for film in films}),
        "unreadable": unreadable,
        "partitions": _by_partition(films),
        "films_a_patient": _films_a_patient(films),
        "split_patients": _split_patients(films),
        "sizes": _sizes(films, acquired.shapes),
        "groups": _groups(acquired),
        "one_class_groups": one_class_groups(acquired.groups, pneumonia.tolist()),
        "group_alone_auroc": group_alone(acquired.groups, pneumonia),
        "duplicates": duplicates(acquired),
    }


def _by_partition(films: Sequence[LabelledFilm]) -> list[dict[str, Any]]:
    """Count films and patients by partition and class."""
    rows = []
    for partition in sorted({film.partition for film in films}):
        here = [film for film in films if film.partition == partition]
        counts = Counter(class_of(film) for film in here)
        patients = len({film.patient_id for film in here})
        rows.append(
            {"partition": partition or "none", "n": len(here), "patients": patients, **_all(counts)}
        )
    return rows


def _all(counts: Counter[str]) -> dict[str, int]:
    """Return a count for every class, also where it is 0."""
    return {name: counts[name] for name in CLASSES}


def _films_a_patient(films: Sequence[LabelledFilm]) -> list[dict[str, int]]:
    """Count patients by how many films they have; ten means ten or more."""
    each = Counter(film.patient_id for film in films)
    counts = Counter(min(count, 10) for count in each.values())
    return [{"films": count, "patients": counts[count]} for count in sorted(counts)]


def _split_patients(films: Sequence[LabelledFilm]) -> int:
    """Count patients with films in several partitions."""
    partitions: dict[str, set[str]] = {}
    for film in films:
        partitions.setdefault(film.patient_id, set()).add(film.partition)
    return sum(len(found) > 1 for found in partitions.values())


def _sizes(films: Sequence[LabelledFilm], shapes: NDArray[np.int_]) -> list[dict[str, Any]]:
    """Return quantiles of width, height and aspect by class."""
    classes = np.array([class_of(film) for film in films])
    rows = []
    for name in CLASSES:
        part = shapes[classes == name]
        if len(part):
            aspect = part[:, 1] / part[:, 0]
            rows.append(
                {
                    "class": name,
                    "width": np.percentile(part[:, 1], [5, 50, 95]).tolist(),
                    "height": np.percentile(part[:, 0], [5, 50, 95]).tolist(),
                    "aspect": np.percentile(aspect, [5, 50, 95]).tolist(),
                }
            )
    return rows


def _groups(acquired: Acquired) -> list[dict[str, Any]]:
    """Count films of each acquisition group by class."""
    rows = []
    for name in sorted(set(acquired.groups)):
        films = [
            film
            for film, group in zip(acquired.films, acquired.groups, strict=True)
            if group == name
        ]
        counts = Counter(class_of(film) for film in films)
        one_class = len({film.target for film in films}) == 1
        rows.append({"name": name, "n": len(films), "one_class": one_class, **_all(counts)})
    return rows


def group_alone(groups: Sequence[str], pneumonia: NDArray[np.bool_]) -> float | None:
    """Return the AUROC of guessing the class from a film's group alone.

    0.5 means that the machine reveals nothing about the class; None if there is one class only.
    """
    names, numbers = np.unique(np.asarray(groups), return_inverse=True)
    positives = np.bincount(numbers, weights=pneumonia, minlength=len(names))
    share = (positives / np.bincount(numbers, minlength=len(names)))[numbers]
    value = auroc(share, pneumonia)
    return None if np.isnan(value) else value


def duplicates(acquired: Acquired) -> list[dict[str, Any]]:
    """Return films with the same pixels, the largest sets first."""
    sets: dict[str, list[LabelledFilm]] = {}
    for film, digest in zip(acquired.films, pixel_digests(acquired.pixels), strict=True):
        sets.setdefault(digest, []).append(film)
    repeated = {digest: films for digest, films in sets.items() if len(films) > 1}
    return [
        {
            "digest": digest[:12],
            "n": len(films),
            "patients": len({film.patient_id for film in films}),
            "classes": sorted({class_of(film) for film in films}),
            "partitions": sorted({film.partition or "none" for film in films}),
            "paths": [str(film.path) for film in films],
        }
        for digest, films in sorted(repeated.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def render(described: dict[str, Any], acquired: Acquired, *, title: str, seed: int = 0) -> str:
    """Write the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    classes = np.array([class_of(film) for film in acquired.films])
    groups = np.array(acquired.groups)
    random = np.random.default_rng(seed)
    shown = [name for name in CLASSES if (classes == name).any()]
    return environment.get_template("dataset_report.html.jinja").render(
        data=described,
        title=title,
        made_on=f"{datetime.now(UTC):%d %B %Y}",
        classes=shown,
        colours=COLOURS,
        width=WIDTH,
        height=HEIGHT,
        most_duplicates=MOST_DUPLICATES,
        tones=tone_curves(acquired, shown),
        largest_group=max(row["n"] for row in described["groups"]),
        sheets_by_class=[
            {"name": name, "examples": _examples(acquired, np.flatnonzero(classes == name), random)}
            for name in shown
        ],
        sheets_by_group=[
            row | {"examples": _examples(acquired, np.flatnonzero(groups == row["name"]), random)}
            for row in described["groups"]
        ],
    )


def tone_curves(acquired: Acquired, classes: Sequence[str]) -> list[Curve]:
    """Return the mean share of pixels at or below each grey level, by class."""
    of = np.array([class_of(film) for film in acquired.films])
    curves = []
    for name in classes:
        counts = np.zeros(256)
        for place in np.flatnonzero(of == name):
            counts += np.bincount(acquired.pixels[place].ravel(), minlength=256)
        reached = np.cumsum(counts) / counts.sum()
        points = " ".join(
            f"{level / 255 * WIDTH:.1f},{HEIGHT - share * HEIGHT:.1f}"
            for level, share in enumerate(reached)
        )
        curves.append(Curve(name, COLOURS[name], points))
    return curves


def _examples(
    acquired: Acquired, places: NDArray[np.intp], random: np.random.Generator
) -> list[dict[str, str]]:
    """Draw films, and return their pictures and classes."""
    drawn = random.permutation(places)[:EXAMPLES]
    return [
        {
            "picture": _data_uri(acquired.pixels[place]),
            "class": class_of(acquired.films[place]),
            "group": acquired.groups[place],
        }
        for place in drawn
    ]


def _data_uri(film: NDArray[np.uint8]) -> str:
    """Encode a small copy of a film for use inside a page."""
    buffer = io.BytesIO()
    small = PillowImage.fromarray(film).resize((SIDE, SIDE), PillowImage.Resampling.BILINEAR)
    small.save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
