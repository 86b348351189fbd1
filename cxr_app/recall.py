"""Outcomes of films that a model has scored before, from the worklist."""

from collections.abc import Mapping

from cxr_app.outcome import Outcome
from cxr_app.prediction import OperatingPoint, Prediction
from cxr_app.worklist import Worklist


def recall(
    worklist: Worklist, sha256: str, model_version: str, points: Mapping[str, OperatingPoint]
) -> Outcome | None:
    """Return a model's earlier outcome for a film from the worklist; None if there is none.

    Parameters
    ----------
    points
        The operating points of that model.
    """
    entry = worklist.entry_by_sha256(sha256)
    scores = worklist.scores(entry.id) if entry else []
    score = next((each for each in scores if each.model_version == model_version), None)
    if entry is None or score is None or score.activation_map is None:
        return None
    return Outcome(
        sha256=sha256,
        state=score.state,
        priority=score.priority,
        prediction=Prediction(
            bacterial_probability=score.bacterial_probability,
            viral_probability=score.viral_probability,
            activation_map=score.activation_map,
            model_version=model_version,
            undivided_probability=(
                score.pneumonia_probability if score.bacterial_probability is None else None
            ),
            heat_scale=score.heat_scale,
            lungs=score.lungs,
        ),
        operating_point=points[score.operating_point_name],
        header=entry.header,
        file_format=entry.file_format,
        rows=entry.rows,
        columns=entry.columns,
        remarks=entry.remarks,
    )
