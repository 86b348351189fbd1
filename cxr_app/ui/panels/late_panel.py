"""What a reader did at a film just before leaving its page, and no run of the script has heard."""

from functools import partial

from cxr_app.ui.components import comment_box, viewer
from cxr_app.ui.components.delivery import acknowledged
from cxr_app.ui.components.late_messages import late_messages
from cxr_app.ui.panels.film_images import LATE_KEYS
from cxr_app.ui.panels.marks_panel import keep_mark
from cxr_app.ui.panels.review_panel import store_comment


def late_panel() -> None:
    """Record it now, for the film that it was done at."""
    late_messages(
        {**viewer.acknowledged(), "comments": acknowledged(comment_box.KEY)},
        {
            "presses": partial(viewer.hear_presses, keys=LATE_KEYS),
            "marks": partial(viewer.hear_marks, keep=keep_mark),
            "comments": partial(comment_box.hear_comments, store=store_comment),
        },
    )
