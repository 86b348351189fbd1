"""The one path of a film: from bytes by screening and prediction to its priority.

The server and the batch command both score through here. Importing this file does
not import torch, so that the worklist can be shown while the network is still being loaded.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cxr_app import priority
from cxr_app.errors import FilmError, UnsupportedImageError
from cxr_app.examined import Examined, FilmFacts, refusal
from cxr_app.imaging import intake
from cxr_app.model import screening
from cxr_app.model.preprocessing import InputSpec, NetworkInput, to_input
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.patient_age import OtherAges
from cxr_app.pose import AS_IT_LIES, Pose, posed_radiograph
from cxr_app.prediction import Prediction
from cxr_app.radiograph import Radiograph

if TYPE_CHECKING:
    from cxr_app.model.film_classifier import FilmClassifier


def examine(
    data: bytes,
    spec: InputSpec,
    sha256: str = "",
    pose: Pose | None = None,
    *,
    in_subprocess: bool = False,
) -> Examined:
    """Read, screen and prepare a file: the part that needs no network.

    Parameters
    ----------
    data
        The file as received.
    spec
        What the network wants.
    sha256
        Of `data`, if known already; it takes as long as decoding a small film.
    pose
        How the film lies by the word of a person, who says that it is a frontal chest film; None if
        nobody does.
    in_subprocess
        As `intake.read_radiograph` has it.
    """
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    try:
        radiograph = intake.read_radiograph(data, sha256, in_subprocess=in_subprocess)
    except UnsupportedImageError as error:
        return Examined(sha256, FilmFacts(), (ScoringState.REJECTED, str(error)), None, pose)
    except FilmError as error:
        facts = FilmFacts(may_be_chest=not data or intake.sniff(data) is not None)
        return Examined(sha256, facts, (ScoringState.FAILED, str(error)), None, pose)
    radiograph = posed_radiograph(radiograph, pose or AS_IT_LIES)
    reason = screening.screen(radiograph, attested=pose is not None)
    if reason is not None:
        return Examined(sha256, _facts(radiograph), (ScoringState.REJECTED, reason), None, pose)
    return Examined(sha256, _facts(radiograph), None, to_input(radiograph.image, spec), pose)


class Scorer:
    """Scores films with one classifier; safe for any number of threads.

    Parameters
    ----------
    classifier
        The network in use.
    other_ages
        Whether patients of other ages than the model learned from are scored with a ``remark``, or
        a ``reject``.
    in_subprocess
        As `intake.read_radiograph` has it.
    """

    def __init__(
        self,
        classifier: "FilmClassifier",
        other_ages: OtherAges = "remark",
        *,
        in_subprocess: bool = False,
    ) -> None:
        self.classifier = classifier
        self._in_subprocess = in_subprocess
        self._rejects_other_ages = other_ages == "reject"

    def score(self, data: bytes, pose: Pose | None = None) -> Outcome:
        """Score one file; a file that cannot be scored has an outcome too."""
        return self.score_all([self.examine(data, pose)])[0]

    def examine(self, data: bytes, pose: Pose | None = None) -> Examined:
        """Read, screen and prepare a file for this scorer's network."""
        spec = self.classifier.description.input_spec
        return examine(data, spec, pose=pose, in_subprocess=self._in_subprocess)

    def score_all(self, examined: Sequence[Examined]) -> list[Outcome]:
        """Score examined files in one forward pass, in their order."""
        views = iter(self.classifier.views(_inputs(examined)))
        films = [film if film.refused else self._screened(film, next(views)) for film in examined]
        predictions = iter(self.classifier.predict(_inputs(films)))
        return [
            refusal(film) if film.refused else self._scored(film, next(predictions))
            for film in films
        ]

    def _screened(self, film: Examined, view: screening.ViewClass) -> Examined:
        """Refuse a film for its view or its patient's age, or add remarks for its reader."""
        found = screening.screen_view(
            view if film.pose is None else None,
            film.facts.header,
            self.classifier.description.ages,
            rejects_other_ages=self._rejects_other_ages,
        )
        if found.refusal is not None:
            refused = (ScoringState.REJECTED, found.refusal)
            return replace(film, refused=refused, network_input=None)
        facts = replace(film.facts, remarks=(*found.remarks, *film.facts.remarks))
        return replace(film, facts=facts)

    def _scored(self, film: Examined, prediction: Prediction) -> Outcome:
        """Combine a prediction with its operating point and priority."""
        points = self.classifier.operating_points
        return Outcome(
            sha256=film.sha256,
            state=ScoringState.SCORED,
            priority=priority.assign(prediction, points),
            prediction=prediction,
            operating_point=points["balanced"],
            header=film.facts.header,
            file_format=film.facts.file_format,
            rows=film.facts.rows,
            columns=film.facts.columns,
            remarks=(*screening.lung_remarks(prediction.lungs), *film.facts.remarks),
            pose=film.pose,
        )


def _inputs(films: Sequence[Examined]) -> list[NetworkInput]:
    return [film.network_input for film in films if film.network_input is not None]


def _facts(radiograph: Radiograph) -> FilmFacts:
    """Return what the worklist shows, without the pixels."""
    return FilmFacts(
        header=radiograph.header,
        file_format=radiograph.file_format,
        rows=radiograph.rows,
        columns=radiograph.columns,
        remarks=radiograph.remarks,
    )
