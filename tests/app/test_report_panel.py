"""The report on the film page: made by the site's template, which administrators can change."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from cxr_app.settings import Settings
from cxr_app.worklist import Cause, Worklist
from tests.app.test_reading import read as read
from tests.support.worklists import scored

Opener = Callable[..., AppTest]


def report(app: AppTest) -> str:
    return str(app.code[0].value)


def test_the_report_follows_verdict_and_comment(worklist: Worklist, read: Opener) -> None:
    film = scored(worklist, 0.9, patient_id="P-1", patient_name="Example^Ada")
    app = read(film)
    assert "has not been read yet" in report(app)
    worklist.reviews.add(film, "Weiss", True, cause=Cause.VIRAL, comment="Left base.")
    app.run()
    assert "Findings: pneumonia, cause viral.\nLeft base." in report(app)
    assert "Patient: Example, Ada, P-1" in report(app)


def test_a_masked_film_has_a_masked_report(worklist: Worklist, read: Opener) -> None:
    app = read(scored(worklist, 0.9, patient_id="P-1", patient_name="Example^Ada"))
    app.toggle(key="mask_identities").set_value(True).run()
    assert "Example" not in report(app)


def test_a_template_is_tried_before_it_is_kept_for_the_site(
    worklist: Worklist, read: Opener
) -> None:
    app = read(scored(worklist, 0.9))
    field = app.text_area(key="report_template_text")
    field.set_value("{{ finding }}").run()
    app.button(key="save_template").click().run()
    assert "'finding' is undefined" in app.error[0].value.replace("\\", "")
    own = Path(Settings.read().data_dir) / "report.txt.jinja"
    assert not own.exists()
    app.text_area(key="report_template_text").set_value("Thorax: {{ verdict }}").run()
    app.button(key="save_template").click().run()
    assert report(app) == "Thorax: not read"
    assert own.exists()


def test_an_administrator_tries_a_template_on_a_made_up_film_before_it_is_kept(
    app: AppTest,
) -> None:
    app.run()
    app.switch_page("views/connections.py").run()
    assert "Findings: pneumonia, cause bacterial." in report(app)
    app.text_area(key="report_template_text").set_value("{% if %}").run()
    assert "The template cannot be used in line 1" in app.error[0].value
    own = Path(Settings.read().data_dir) / "report.txt.jinja"
    app.button(key="save_template").click().run()
    assert not own.exists()
    app.text_area(key="report_template_text").set_value("{{ patient_name | person }}").run()
    assert report(app) == "Example, Ada"
    assert not own.exists()
    app.button(key="save_template").click().run()
    assert own.read_text() == "{{ patient_name | person }}"
