"""Acquisition groups: films that look as if one X-ray machine, in one habit of use, made them.

Found without labels and from what is not lung. First by burned-in writing, which identifies a
machine; the remaining films are clustered by tone, sharpness, border and marker (`fingerprint`).
A group whose films all have one class is a trap: a network can learn the group in place of the
disease, and films of that group cannot show it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from training.acquisition.fingerprint import FEATURES, Matrix, Thumbnails, fingerprints
from training.acquisition.writing import writing_groups

FEWEST = 20
"""Thumbnails in a group; smaller ones are merged into the cluster that they resemble."""
ALL_ALIKE = "all films"
"""Name of the only group of films too few to be divided."""
MOST_CLUSTERS = 6
FILMS_A_CLUSTER = 100
COMPONENTS = 12
FARTHEST = 4.0
"""Standard deviations; more extreme features are clipped, so that one film forms no cluster."""
STRANGER = 0.01
"""Probability of belonging below which a film's writing is taken for a bone or a wire."""
FOLDS = 5

TRAITS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "tone": (("spine 0.5", "abdomen 0.5", "abdomen 0.75"), "pale", "dark"),
    "surround": (("edge left", "edge right", "frame 0.05"), "grey surround", "black surround"),
    "field": (("margin left", "margin right"), "wide margins", "filled to the edge"),
    "sharpness": (tuple(f"spectrum {band}" for band in (2, 3, 8, 9)), "sharp", "soft"),
    "noise": (("spectrum 5", "spectrum 11"), "noisy", "smooth"),
    "marker": (("marker height",), "large marker", "small marker"),
}
"""Words for clusters: the features of a trait, and what more and less of it is called."""


def find_groups(
    films: Thumbnails, shapes: NDArray[np.int_] | None = None, *, seed: int = 0
) -> list[str]:
    """Return the name of each film's acquisition group.

    Parameters
    ----------
    films
        Shape ``(n, fingerprint.SIDE, fingerprint.SIDE)``.
    shapes
        Rows and columns of the films before resizing, ``(n, 2)``, if these are known and differ.
    seed
        The same seed and films give the same groups.
    """
    if len(films) < 2 * FEWEST:
        return [ALL_ALIKE] * len(films)
    features = _standardised(fingerprints(films), shapes)
    names = _confirmed(writing_groups(films), features, seed)
    rest = np.flatnonzero(np.array(names) == "")
    for film, name in zip(rest, _clusters(features[rest], seed), strict=True):
        names[film] = name
    return names


def _standardised(features: Matrix, shapes: NDArray[np.int_] | None) -> Matrix:
    """Standardise all features; size and aspect count where films differ in them."""
    if shapes is not None and len(np.unique(shapes, axis=0)) > 1:
        size, aspect = np.log(shapes.prod(axis=1)), np.log(shapes[:, 1] / shapes[:, 0])
        features = np.column_stack([features, size, aspect])
    scaled: Matrix = StandardScaler().fit_transform(features)
    return scaled.clip(-FARTHEST, FARTHEST)


def _confirmed(names: Sequence[str], features: Matrix, seed: int) -> list[str]:
    """Drop small writing groups, and films that share the writing but nothing else."""
    confirmed = np.array(names, dtype=object)
    for name, count in Counter(names).items():
        if not name:
            continue
        members = np.array(names) == name
        alike = _belonging(features, members, seed) if count >= FEWEST else np.zeros(len(names))
        confirmed[members & (alike < STRANGER)] = ""
        if (confirmed == name).sum() < FEWEST:
            confirmed[confirmed == name] = ""
    return [str(name) for name in confirmed]


def _belonging(features: Matrix, members: NDArray[np.bool_], seed: int) -> Matrix:
    """Return the probability that each film belongs to a group, from the other films alone."""
    if members.all():
        return np.ones(len(members))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    found = cross_val_predict(model, features, members, cv=folds, method="predict_proba")
    belonging: Matrix = found[:, 1]
    return belonging


def _clusters(features: Matrix, seed: int) -> list[str]:
    """Cluster films without shared writing; return the name of each film's cluster."""
    count = min(MOST_CLUSTERS, len(features) // FILMS_A_CLUSTER)
    if count < 2:
        return ["other films"] * len(features)
    reduced = PCA(min(COMPONENTS, *features.shape), random_state=seed).fit_transform(features)
    labels = KMeans(count, n_init=10, random_state=seed).fit_predict(reduced)
    labels = _without_small(labels, reduced)
    names = _named({label: features[labels == label].mean(axis=0) for label in np.unique(labels)})
    return [names[label] for label in labels]


def _without_small(labels: NDArray[np.int_], reduced: Matrix) -> NDArray[np.int_]:
    """Move the films of a small cluster to the nearest large one."""
    counts = np.bincount(labels)
    large = np.flatnonzero(counts >= FEWEST)
    centres = np.stack([reduced[labels == label].mean(axis=0) for label in large])
    nearest = large[((reduced[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)]
    return np.where(np.isin(labels, large), labels, nearest)


def _named(centres: Mapping[int, Matrix]) -> dict[int, str]:
    """Name clusters by the traits in which each differs most from the average film."""
    names: dict[int, str] = {}
    taken: set[frozenset[str]] = set()
    for label, centre in centres.items():
        traits = _traits(centre)
        count = next((n for n in range(2, len(traits)) if frozenset(traits[:n]) not in taken), None)
        taken.add(frozenset(traits[:count]))
        names[label] = ", ".join(traits[:count]) + ("" if count else f" ({label})")
    return names


def _traits(centre: Matrix) -> list[str]:
    """Return words for a cluster, the most distinctive first."""
    by_trait = {
        trait: float(np.mean([centre[FEATURES.index(feature)] for feature in features]))
        for trait, (features, _, _) in TRAITS.items()
    }
    ordered = sorted(by_trait, key=lambda trait: -abs(by_trait[trait]))
    words = {trait: (more, less) for trait, (_, more, less) in TRAITS.items()}
    return [words[trait][0 if by_trait[trait] > 0 else 1] for trait in ordered]


def one_class_groups(names: Sequence[str], pneumonia: Sequence[bool]) -> list[str]:
    """Return the groups whose films all have the same class, in alphabetical order."""
    classes: dict[str, set[bool]] = {}
    for name, positive in zip(names, pneumonia, strict=True):
        classes.setdefault(name, set()).add(bool(positive))
    return sorted(name for name, found in classes.items() if len(found) == 1)
