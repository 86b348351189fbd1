"""Films in columns, built from single ones."""

from dataclasses import dataclass

import numpy as np

from cxr_app.evaluation.drift_films import NO_VERDICT, Coded, DriftFilms, SenderFact


@dataclass(frozen=True)
class Film:
    """One film; a reader's verdict is on a flag of its own model."""

    week: int
    refused: bool = False
    probability: float = 0.5
    flagged: bool = False
    model: str = "m-1"
    pneumonia: int = NO_VERDICT
    flagged_then: bool = False
    station: str = "CR-1"


def columns(films: list[Film]) -> DriftFilms:
    """Return these films in columns."""
    models = coded(["" if each.refused else each.model for each in films])
    station = coded([each.station for each in films])
    return DriftFilms(
        week=np.array([each.week for each in films], np.int_),
        refused=np.array([each.refused for each in films], np.bool_),
        probability=np.array([np.nan if each.refused else each.probability for each in films]),
        flagged=np.array([not each.refused and each.flagged for each in films], np.bool_),
        model=models,
        pneumonia=np.array([each.pneumonia for each in films], np.int_),
        flagged_then=np.array([each.flagged_then for each in films], np.bool_),
        model_then=coded([each.model for each in films]),
        senders=dict.fromkeys(SenderFact, coded([""] * len(films))) | {SenderFact.STATION: station},
    )


def coded(values: list[str]) -> Coded:
    """Return texts as numbers."""
    names = sorted(set(values))
    return Coded(tuple(names), np.array([names.index(each) for each in values], np.int_))
