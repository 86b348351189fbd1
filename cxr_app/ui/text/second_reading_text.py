"""Words for the second reading of a film."""

from collections.abc import Sequence

from cxr_app.reports.facts import verdict_words
from cxr_app.ui.text.formatting import escape_markdown
from cxr_app.worklist import Review, SecondReading, SecondReadingState, last_verdict


def line(second: SecondReading, reviews: Sequence[Review], reader: str) -> str:
    """Return in Markdown how far a second reading is, and what the reader can do.

    Parameters
    ----------
    reviews
        Those that the reader may see, newest first.
    """
    match second.state:
        case SecondReadingState.UNREAD:
            return f"⊜ Two readers are to read this film ({_why(second)})."
        case SecondReadingState.WAITING if second.first_reader == reader:
            return (
                f"⊜ This film waits for a second reader ({_why(second)}), from whom your verdict "
                "is hidden."
            )
        case SecondReadingState.WAITING:
            return (
                f"⊜ **Second reading** ({_why(second)}): what others said of this film is shown "
                "after your verdict."
            )
        case SecondReadingState.AGREED:
            return "⊜ The readers of this film agree."
        case SecondReadingState.DISAGREED:
            return (
                f"△ **The readers differ**: {_answers(reviews)}. Another reader's verdict settles "
                "it, or one of them changes theirs."
            )
        case SecondReadingState.SETTLED:
            settler = escape_markdown(_settler(reviews))
            return f"⊜ The readers differed: {_answers(reviews)}. Settled by {settler}."


def _why(second: SecondReading) -> str:
    if second.asked_by:
        return f"asked for by {escape_markdown(second.asked_by)}"
    return "by the rule of this site"


def _answers(reviews: Sequence[Review]) -> str:
    """Return what each reader said last, the first one first."""
    own: dict[str, list[Review]] = {}
    for each in reversed(reviews):
        if each.verdict and not each.settles and not each.is_taken_back:
            own.setdefault(each.reader, []).insert(0, each)
    return ", ".join(
        f"{escape_markdown(reader)}: {_answer(given[0])}" for reader, given in own.items()
    )


def _answer(review: Review) -> str:
    cause = f" ({review.cause.value.lower()})" if review.pneumonia and review.cause else ""
    return verdict_words(review) + cause


def _settler(reviews: Sequence[Review]) -> str:
    last = last_verdict(reviews)
    return last.reader if last else ""
