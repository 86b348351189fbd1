"""Insertion of the view network into a checkpoint that was made without it."""

from dataclasses import replace
from pathlib import Path

from cxr_app.errors import ScoresError
from cxr_app.evaluation import reference_scores
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.model import checkpoint


def embed_view_network(path: Path, screening: Path, out: Path) -> str:
    """Write a checkpoint with the view network of `screening`, and return its model version.

    The scores beside the checkpoint remain true, and are written beside `out`.
    """
    source = checkpoint.load(path)
    weights, description = checkpoint.with_screening(source.weights, source.description, screening)
    scores = _scores(path, source.model_version)
    version = f"{description.name}-{checkpoint.save(out, weights, description)[:8]}"
    if scores:
        reference_scores.write(
            reference_scores.scores_path(out), replace(scores, model_version=version)
        )
    return version


def _scores(path: Path, model_version: str) -> FilmScores | None:
    """Read the scores beside a checkpoint; None if there are none of this version."""
    try:
        return reference_scores.read(reference_scores.scores_path(path), model_version)
    except ScoresError:
        return None
