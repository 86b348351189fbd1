"""How a film lies, and on whose word it was scored, in words."""

from cxr_app import display_text
from cxr_app.pose import Pose
from cxr_app.worklist import Attestation

TURNS = ("as it lies", "turned right", "turned by half", "turned left")
"""By quarter turns clockwise."""


def pose_words(pose: Pose) -> str:
    """Return how a film was turned, as the end of a sentence; empty if it was not."""
    parts = [TURNS[pose.quarter_turns]] if pose.quarter_turns else []
    return " and ".join([*parts, "mirrored"] if pose.mirrored else parts)


def attested(attestation: Attestation) -> str:
    """Return on whose word a film is scored, in one sentence."""
    words = pose_words(attestation.pose)
    how = f", {words}," if words else ""
    when = display_text.timestamp(attestation.attested_at)
    return (
        f"{attestation.reader} said on {when} that it is a frontal chest film; it is scored{how} "
        "on that word."
    )


def in_a_list(attestation: Attestation) -> str:
    """Return the same in a few words."""
    words = pose_words(attestation.pose)
    return f"Scored on the word of {attestation.reader}{f' ({words})' if words else ''}."
