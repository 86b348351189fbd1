"""The form of the Retrain page: what is said before a retraining is begun."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from cxr_app.jobs.kinds import RETRAINING
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.progress import Progress
from cxr_app.worklist import Cause, JobState, Worklist
from tests.app.test_retrain_page import films as films
from tests.app.test_retrain_page import retrain as retrain
from tests.app.test_retrain_page import shown, words
from tests.app.test_retrain_page import supervisor as supervisor
from tests.support.worklists import scored


def review(worklist: Worklist, normal: int, viral: int, without_cause: int = 0) -> None:
    """Enter films and have a reader judge them."""
    kinds: list[tuple[bool, Cause | None]] = [(False, None)] * normal
    kinds += [(True, Cause.VIRAL)] * viral + [(True, None)] * without_cause
    for number, (pneumonia, cause) in enumerate(kinds):
        entry_id = scored(worklist, 0.9, source=f"{normal} {number}")
        worklist.reviews.add(entry_id, "Ada", pneumonia, cause=cause)


def test_reviewed_films_alone_that_are_too_few_are_not_begun_with(
    retrain: AppTest, worklist: Worklist, films: Path
) -> None:
    review(worklist, 29, 40, 3)
    page = shown(retrain)
    assert "Of 72 films reviewed, 69 can be used: 29 without pneumonia, 0 bacterial" in words(page)
    assert "3 with pneumonia of unspecified cause" in words(page)
    assert "30 films with and 30 without pneumonia" in words(page)
    page.multiselect(key="films").set_value(["reviewed films"]).run()
    assert page.button(key="start").disabled
    assert "too few: 29 without and 40 with" in page.warning[0].value
    both = ["reviewed films", str(films / "drawn.csv")]
    page.multiselect(key="films").set_value(both).run()
    assert not page.button(key="start").disabled


def test_a_recipe_says_what_it_is_for_and_what_it_costs_here(
    retrain: AppTest, worklist: Worklist
) -> None:
    page = shown(retrain)
    assert "choose it for your own films" in words(page)
    assert "for 1,000 films with the" in words(page)
    assert "GB of memory" in words(page)
    counts = {"learn": 307}
    for recipe in ("resnet18", SHIPPED):
        job = worklist.jobs.submit(RETRAINING, {"data": [], "reviewed": True, "recipe": recipe})
        worklist.jobs.claim("elsewhere", [RETRAINING])
        worklist.jobs.begun(job.id, 7, 1.0)
        now = worklist.jobs.job(job.id)
        worklist.jobs.end(now, JobState.COMPLETED, "", Progress(2, 2, counts, exit_status=0))
    page.run()
    assert "The last one here took < 1 min for 307 films." in words(page)


def test_what_was_chosen_is_still_chosen_after_another_page(retrain: AppTest, films: Path) -> None:
    page = shown(retrain)
    page.selectbox(key="recipe").select("resnet18").run()
    page.multiselect(key="films").set_value([str(films / "drawn.csv")]).run()
    page.switch_page("views/worklist.py").run()
    page = shown(retrain)
    assert page.selectbox(key="recipe").value == "resnet18"
    assert page.multiselect(key="films").value == [str(films / "drawn.csv")]


def test_reviewed_films_can_be_chosen_where_there_are_some(
    retrain: AppTest, worklist: Worklist
) -> None:
    review(worklist, 30, 30)
    page = shown(retrain)
    assert page.multiselect(key="films").options == ["Reviewed films (60)"]
    page.multiselect(key="films").set_value(["reviewed films"]).run()
    page.button(key="start").click().run()
    (job,) = worklist.jobs.newest(RETRAINING)
    assert (job.parameters["reviewed"], job.parameters["data"]) == (True, [])
