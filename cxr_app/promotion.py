"""The model in use: the one that a person has put to use last, else the one the settings name.

A promoted checkpoint is copied to a place that its content names, so that what was put to use can
be found again as it was. Its thresholds are in the same file and change with it.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import PromotionError
from cxr_app.film_store import file_sha256, make_private_folder
from cxr_app.jobs.retraining import Challenger, Comparison
from cxr_app.model.checkpoint_identity import identity_of
from cxr_app.settings import Settings
from cxr_app.worklist import Promotion, Proposal, Worklist

COMPANIONS = (".films.json", ".scores.json")
"""What lies beside a checkpoint: the films it learned from, what it says of films it did not."""


def checkpoint_in_use(settings: Settings, worklist: Worklist) -> Path:
    """Return the checkpoint to be used now."""
    return _file(settings, worklist.promotions.newest())


def sha256_in_use(settings: Settings, worklist: Worklist) -> str:
    """Return the SHA-256 of the checkpoint to be used now; empty if it cannot be read."""
    newest = worklist.promotions.newest()
    return (newest.sha256 if newest else "") or identity_of(settings.checkpoint).sha256


def no_longer_in_use(comparison: Comparison) -> str:
    """Return why a challenger that was compared with an earlier model cannot be promoted."""
    return (
        f"This challenger was compared with {comparison.in_use}, which is no longer in use. "
        "Retrain once more to compare it with the model in use now."
    )


def promote(
    settings: Settings, worklist: Worklist, challenger: Challenger, job_id: str, by: str
) -> Promotion:
    """Promote a challenger.

    Raises
    ------
    PromotionError
        If it is worse by the rule, was compared with another model than the one in use, is no
        longer the file that was compared, or lacks the word of another person where the site asks
        for two.
    """
    comparison = _comparison_to_promote(challenger)
    if settings.promotion_by_two and proposed_by_another(worklist, comparison, by) is None:
        raise PromotionError(
            "At this site one person proposes a model and another promotes it, and no other person "
            "has proposed this one. Propose it, and ask a colleague to promote it."
        )
    standing = worklist.promotions.newest()
    if file_sha256(_file(settings, standing)) != comparison.in_use_sha256:
        raise PromotionError(no_longer_in_use(comparison))
    _keep(settings, challenger.checkpoint, comparison.challenger_sha256)
    return worklist.promotions.put_to_use(
        comparison.challenger_sha256,
        comparison.challenger,
        by=by,
        instead_of=standing,
        replaced_version=comparison.in_use,
        job_id=job_id,
    )


def propose(worklist: Worklist, challenger: Challenger, by: str) -> Proposal:
    """Propose a challenger, for another person to promote.

    Raises
    ------
    PromotionError
        If it is worse by the rule.
    """
    return worklist.proposals.propose(_comparison_to_promote(challenger).challenger_sha256, by)


def proposed_by_another(worklist: Worklist, comparison: Comparison, by: str) -> Proposal | None:
    """Return who else has proposed a challenger; None if nobody but this person has."""
    found = worklist.proposals.of_model(comparison.challenger_sha256)
    return next((each for each in found if each.proposed_by != by), None)


def go_back(
    settings: Settings,
    worklist: Worklist,
    earlier: Promotion | None,
    by: str,
    *,
    instead_of: Promotion,
) -> Promotion:
    """Promote a model that was in use before.

    Parameters
    ----------
    earlier
        A change that put it into use, as `ways_back` returns it; without a SHA-256, or None, it
        means the model that the settings name.
    instead_of
        The newest change that the person has seen.

    Raises
    ------
    PromotionError
        If its file is gone or changed, or the model in use was changed since.
    """
    path = _file(settings, earlier)
    if earlier is not None and earlier.sha256 and file_sha256(path) != earlier.sha256:
        raise PromotionError(
            f"The file of {earlier.model_version} is gone from the server or was changed. "
            "Restore it from a backup of the data folder."
        )
    return worklist.promotions.put_to_use(
        earlier.sha256 if earlier else "",
        _version(settings, earlier),
        by=by,
        instead_of=instead_of,
        replaced_version=_version(settings, instead_of),
    )


def ways_back(settings: Settings, worklist: Worklist) -> list[Promotion]:
    """Return the newest change to each model that was in use and is not now, newest first.

    The model that the settings name has an empty SHA-256, and the version of its file now. Where
    no change led to it, the first change represents it: that one replaced it.
    """
    history = worklist.promotions.history(limit=None)
    if not history:
        return []
    first = replace(history[-1], sha256="", job_id="")
    newest: dict[str, Promotion] = {}
    for promotion in (*history, first):
        newest.setdefault(promotion.sha256, promotion)
    newest.pop(history[0].sha256)
    return [replace(way, model_version=_version(settings, way)) for way in newest.values()]


def _comparison_to_promote(challenger: Challenger) -> Comparison:
    """Return the comparison that a challenger has stood."""
    comparison = challenger.comparison
    if comparison is None or not comparison.not_worse:
        raise PromotionError("This challenger is not known to be as good as the model in use.")
    return comparison


def _file(settings: Settings, promotion: Promotion | None) -> Path:
    """Return the path of a promotion's checkpoint."""
    if promotion is None or not promotion.sha256:
        return settings.checkpoint
    return settings.models_dir / f"{promotion.sha256}.safetensors"


def _version(settings: Settings, promotion: Promotion | None) -> str:
    """Return the version of a promotion's model; an upgrade may change that of the settings."""
    if promotion is None or not promotion.sha256:
        return identity_of(settings.checkpoint).file_version
    return promotion.model_version


def _keep(settings: Settings, source: Path, sha256: str) -> None:
    """Copy a checkpoint to its place, whole or not at all, and what belongs to it."""
    place = settings.models_dir / f"{sha256}.safetensors"
    try:
        content = source.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PromotionError(
                "The challenger's file is not the one that was compared. Retrain once more."
            )
        make_private_folder(settings.models_dir)
        for suffix in COMPANIONS:
            if (companion := source.with_suffix(suffix)).exists():
                atomic_write(place.with_suffix(suffix), companion.read_bytes(), private=True)
        atomic_write(place, content, private=True)
    except OSError as error:
        raise PromotionError(
            f"The challenger could not be kept: {error.strerror}. "
            "Check the disk and the data folder of the server; if it was discarded, retrain."
        ) from error
