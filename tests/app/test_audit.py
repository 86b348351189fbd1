"""What the pages note in the audit, and what the auditor sees of it."""

import pytest
import streamlit as st
from streamlit.runtime.context import StreamlitHeaders
from streamlit.testing.v1 import AppTest

from cxr_app.audit.event import AuditEvent, AuditKind, AuditOutcome
from cxr_app.ui import resources
from cxr_app.worklist import AnnotationKind, Measurement, Worklist
from tests.support.worklists import page_text, scored

PATIENT = "QX-18151210"


@pytest.fixture
def film(worklist: Worklist) -> str:
    return scored(worklist, 0.9, patient_name="Quuxlove^Zebedea", patient_id=PATIENT)


def noted(kind: AuditKind) -> list[AuditEvent]:
    """Return the events of a kind so far."""
    resources.audit().flush()
    records = resources.audit().store.after(0, 1000)
    return [record.event for record in records if record.event.kind is kind]


@pytest.fixture
def film_page(app: AppTest, film: str) -> AppTest:
    app.run()
    app.query_params["film"] = film
    app.switch_page("views/film.py").run()
    assert not app.exception
    return app


def test_a_window_and_a_header_are_noted_once(film_page: AppTest, film: str) -> None:
    film_page.run()
    (opened,) = noted(AuditKind.SIGNED_IN)
    (shown,) = noted(AuditKind.HEADER_SHOWN)
    assert (opened.who, shown.who, shown.film) == ("Weiss", "Weiss", film)
    assert shown.patient == resources.audit().mark(PATIENT)


def test_a_review_is_noted_with_the_patient_even_if_names_are_masked(
    film_page: AppTest, film: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    film_page.toggle(key="mask_identities").set_value(True).run()
    film_page.button(f"pneumonia_{film}").click().run()
    (review,) = noted(AuditKind.ACTION)
    assert (review.film, review.detail) == (film, "review films: answer")
    assert review.patient == resources.audit().mark(PATIENT)
    film_page.toggle(key="mask_identities").set_value(False).run()
    assert len(noted(AuditKind.UNMASKED)) == 1


def test_what_readers_hand_over_and_draw_is_noted_with_film_and_patient(
    film_page: AppTest, film: str, worklist: Worklist
) -> None:
    film_page.text_input(f"urgent_reason_{film}").set_value("tube").run()
    film_page.button(f"urgent_{film}").click().run()
    film_page.selectbox(f"assign_to_{film}").set_value("Weiss").run()
    film_page.button(f"assign_{film}").click().run()
    film_page.text_input(f"note_{film}").set_value("call the ward").run()
    film_page.button(f"leave_note_{film}").click().run()
    film_page.button("settle_1").click().run()
    film_page.button(f"unassign_{film}").click().run()
    film_page.button(f"not_urgent_{film}").click().run()
    line = Measurement(AnnotationKind.LENGTH, ((0.0, 0.0), (1.0, 1.0)), 1.0, "px", "", "0")
    worklist.room.annotations.add(film, "Weiss", line)
    film_page.run().button(f"take_mark_back_{film}_1").click().run()
    done = noted(AuditKind.ACTION)
    handed = ("mark urgent", "assign", "write note", "settle", "end assignment")
    expected = [f"hand films over: {each}" for each in (*handed, "take urgency back")]
    assert [each.detail for each in done] == [*expected, "review films: take back"]
    assert {(each.film, each.patient) for each in done} == {(film, resources.audit().mark(PATIENT))}
    assert "ward" not in str(done)


def test_a_search_is_noted_by_the_mark_of_its_words(app: AppTest, film: str) -> None:
    app.run()
    app.text_input("text").set_value("Quuxlove").run()
    app.run()
    (search,) = noted(AuditKind.SEARCHED)
    assert search.patient == resources.audit().search_mark(" QUUXLOVE")
    assert "Quuxlove" not in str(search)


def test_an_export_and_a_failed_action_are_noted(film_page: AppTest, film: str) -> None:
    from cxr_app.errors import ReportError
    from cxr_app.permissions import Permission
    from cxr_app.ui.access import exporting

    def fail() -> bytes:
        raise ReportError("no")

    exporting(Permission.EXPORT_REPORT, lambda: b"pdf", film)()
    with pytest.raises(ReportError):
        exporting(Permission.EXPORT_REPORT, fail, film)()
    done, failed = noted(AuditKind.EXPORTED)
    assert (done.film, done.outcome) == (film, AuditOutcome.DONE)
    assert failed.outcome is AuditOutcome.FAILED


def test_a_refused_page_is_noted(
    app: AppTest, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SIGN_IN": "proxy",
        "READER_HEADER": "X-User",
        "GROUPS_HEADER": "X-Groups",
        "AUDITOR_GROUPS": "audit",
    }.items():
        monkeypatch.setenv(f"CXR_{name}", value)
    sent = StreamlitHeaders([("X-User", "Ada"), ("X-Groups", "audit")])
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: sent))
    app.run()
    assert "You may not" not in page_text(app), "the auditor's start page is the audit"
    app.switch_page("views/worklist.py").run()
    (refused,) = noted(AuditKind.REFUSED)
    assert (refused.who, refused.detail) == ("Ada", "open the worklist")
    assert refused.outcome is AuditOutcome.REFUSED


def test_the_auditor_finds_every_access_to_a_patient(
    film_page: AppTest, film: str, worklist: Worklist
) -> None:
    resources.audit().flush()
    page = film_page.switch_page("views/audit.py").run()
    assert not page.exception
    page.text_input("audit_patient").set_value(PATIENT).run()
    events = page.dataframe[0].value
    assert set(events["What"]) == {"HEADER_SHOWN"}
    assert "Quuxlove" not in str(events.to_dict())
    page.button("check_chain").click().run()
    assert "The chain is whole" in page_text(page)
    resources.audit().flush()
    page.text_input("audit_patient").set_value("nobody").run()
    assert "No event matches" in page_text(page)


@pytest.mark.parametrize("is_earlier", [False, True], ids=["now", "by an earlier version"])
def test_the_auditor_finds_a_patient_whose_id_has_an_issuer(
    app: AppTest, worklist: Worklist, is_earlier: bool
) -> None:
    scored(worklist, 0.9, patient_id=PATIENT, issuer_of_patient_id="HOSP", source="one")
    audit, issued = resources.audit(), (PATIENT, "HOSP")
    mark = audit._hash(*issued) if is_earlier else audit.mark(*issued)
    audit.record(AuditKind.FILM_SHOWN, patient=mark)
    audit.record(AuditKind.FILM_SHOWN, patient=audit.mark("QX-2", "HOSP"))
    audit.flush()
    app.run()
    page = app.switch_page("views/audit.py").run()
    for written in (PATIENT, f" {PATIENT}^^^HOSP"):
        page.text_input("audit_patient").set_value(written).run()
        assert list(page.dataframe[0].value["What"]) == ["FILM_SHOWN"]
    page.text_input("audit_patient").set_value(f"{PATIENT}^^^OTHER").run()
    assert "No event matches" in page_text(page)
