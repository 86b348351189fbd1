"""A report by the site's template, as text, PDF and FHIR."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import ReportError
from cxr_app.lung_fields import Extent
from cxr_app.model.screening import MIRRORED
from cxr_app.radiograph import Header
from cxr_app.reports import template
from cxr_app.reports.diagnostic_report import diagnostic_report
from cxr_app.reports.facts import ReportFacts, facts_of
from cxr_app.reports.pdf import report_pdf
from cxr_app.worklist import AnnotationKind, Cause, Entry, Measurement, Review, Verdict

MOMENT = datetime(2026, 10, 7, 12, 30, tzinfo=UTC)
HEADER = Header(
    patient_name="Example^Ada",
    patient_id="P-17",
    issuer_of_patient_id="WARD",
    accession_number="A-5",
    study_date="20261006",
    study_instance_uid="1.2.3",
    view_position="PA",
)
ENTRY = Entry(
    "0" * 32,
    "1" * 64,
    "film.dcm",
    Path("/f"),
    MOMENT,
    header=HEADER,
    flagged=True,
    pneumonia_probability=0.913,
    threshold=0.47,
    model_version="m-1",
)
VERDICT = Review("Dr Weiss", MOMENT, Verdict.AGREE, Cause.BACTERIAL, flagged=True, number=2)
COMMENT = Review("Dr Weiss", MOMENT, None, comment="Follow up <in> 6 weeks & compare.", number=1)
EXTENT = Extent({"right lower": 0.5, "left upper": 0.0, "right middle": 0.1}, {}, 3)
OWN = template.PROJECT_TEMPLATE.read_text(encoding="utf-8")


def facts(*reviews: Review, entry: Entry = ENTRY) -> ReportFacts:
    return facts_of(entry, reviews, EXTENT)


def test_a_report_says_what_the_reader_saw_and_what_the_model_said_beside_it() -> None:
    earlier = replace(ENTRY, header=replace(HEADER, study_date="20260102"))
    compared = facts_of(ENTRY, [VERDICT, COMMENT], EXTENT, (earlier, []))
    text = template.report_text(OWN, compared)
    assert text.startswith("CHEST RADIOGRAPH, PA, 2026-10-06\n\nPatient: Example, Ada, P-17\n")
    assert "Comparison: film of 2026-01-02." in text
    assert "Findings: pneumonia, cause bacterial.\nFollow up <in> 6 weeks & compare." in text
    assert "probability 91 % at an operating point of 47 %" in text
    assert "evidence in the right lower, right middle zones (model m-1)" in text
    assert "Read by Dr Weiss, 2026-10-07" in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Weiss^Anna^Maria", "Weiss, Anna Maria"),
        ("Nakamura^Yui=中村^結衣", "Nakamura, Yui"),
        ("=中村^結衣", "中村, 結衣"),
        ("^^=^=なかむら^ゆい", "なかむら, ゆい"),
    ],
)
def test_a_name_is_written_in_the_first_script_that_it_has(name: str, shown: str) -> None:
    entry = replace(ENTRY, header=replace(HEADER, patient_name=name))
    assert f"Patient: {shown}, P-17" in template.report_text(OWN, facts(VERDICT, entry=entry))


def test_a_verdict_on_a_flag_that_was_not_stored_is_unknown() -> None:
    text = template.report_text(OWN, facts(replace(VERDICT, flagged=None, cause=None)))
    assert "Findings: unknown." in text


def test_no_side_is_named_on_a_film_that_may_be_mirrored() -> None:
    found = facts(VERDICT, entry=replace(ENTRY, remarks=(MIRRORED,)))
    assert found.zones == ("lower", "middle")


def test_a_film_that_nobody_has_read_has_no_findings() -> None:
    for reviews in ((), (COMMENT,), (replace(VERDICT, is_taken_back=True),)):
        text = template.report_text(OWN, facts(*reviews))
        assert "has not been read yet" in text
        assert "Findings" not in text


verdicts = st.builds(
    Review,
    reader=st.just("Weiss"),
    reviewed_at=st.just(MOMENT),
    verdict=st.sampled_from([None, *Verdict]),
    cause=st.sampled_from([None, *Cause]),
    comment=st.text(max_size=20),
    flagged=st.sampled_from([True, False, None]),
    is_taken_back=st.booleans(),
)
headers = st.builds(Header, **{name: st.text(max_size=9) for name in ("patient_id", "study_date")})


@given(st.lists(verdicts, max_size=4), headers, st.booleans())
def test_every_film_has_a_report_that_calls_nothing_normal(
    reviews: list[Review], header: Header, scored: bool
) -> None:
    entry = replace(ENTRY, header=header)
    if not scored:
        entry = replace(entry, flagged=None, pneumonia_probability=None, threshold=None)
    found = facts_of(entry, reviews, EXTENT)
    text = template.report_text(OWN, found)
    quoted = (header.patient_id, header.study_date, *(review.comment for review in reviews))
    said = "".join(quoted).lower()
    assert "normal" not in text.lower() or "normal" in said
    assert ("Findings" in text) == any(
        review.verdict and not review.is_taken_back for review in reviews
    ) or "Findings" in said
    assert json.loads(diagnostic_report(found, text))["conclusion"] == text


def test_the_template_of_the_site_replaces_the_projects_and_back(tmp_path: Path) -> None:
    assert template.site_template(tmp_path) == OWN
    template.save_template(tmp_path, "Thorax: {{ verdict }}")
    own = template.site_template(tmp_path)
    assert template.report_text(own, facts(VERDICT)) == "Thorax: pneumonia"
    template.save_template(tmp_path, " \n")
    assert template.site_template(tmp_path) == OWN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ verdict", "line 1"),
        ("\n{% if %}", "line 2"),
        ("{{ finding }}", "'finding' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ probability | percent }}", "not allow"),
        (
            "{% if comments %}{{ comments[3].text }}{% endif %}",
            "has no element 3",
        ),  # only where one is
        ("{{ verdict }}" * 2000, "20,000"),
    ],
)
def test_a_template_that_makes_no_report_is_refused_before_it_is_kept(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ReportError, match=words):
        template.save_template(tmp_path, text)
    assert template.site_template(tmp_path) == OWN


def test_every_name_is_listed_for_whoever_writes_a_template() -> None:
    text = "\n".join(f"{{{{ {name} }}}}" for name in template.names())
    assert template.report_text(text, facts(VERDICT))


def test_the_pdf_is_a_pdf_and_lacks_no_character_without_a_word() -> None:
    content = report_pdf("CHEST RADIOGRAPH\n\nWeiß, Zoë & <b>: ≤ 5 mm")
    assert content.startswith(b"%PDF-")
    assert BytesIO(content).getvalue().rstrip().endswith(b"%%EOF")
    with pytest.raises(ReportError, match="山"):
        report_pdf("Patient: 山田")


def test_the_fhir_resource_has_what_is_known_and_nothing_else() -> None:
    found = json.loads(diagnostic_report(facts(VERDICT), "Findings: pneumonia."))
    assert found["status"] == "preliminary"
    assert found["subject"]["identifier"] == {"value": "P-17", "assigner": {"display": "WARD"}}
    assert found["identifier"][0]["value"] == "A-5"
    assert found["imagingStudy"][0]["identifier"]["value"] == "urn:oid:1.2.3"
    assert found["conclusionCode"][0]["coding"][0]["code"] == "53084003"
    assert base64.b64decode(found["presentedForm"][0]["data"]) == b"Findings: pneumonia."
    bare = json.loads(diagnostic_report(facts(entry=replace(ENTRY, header=None)), "-"))
    assert bare["status"] == "registered"
    assert not {"subject", "identifier", "imagingStudy", "issued", "conclusionCode"} & bare.keys()


def test_a_key_image_is_named_by_its_uid_and_is_no_measurement() -> None:
    entry = replace(ENTRY, header=replace(HEADER, sop_instance_uid="1.2.3.4"))
    mark = Measurement(AnnotationKind.KEY_IMAGE, ((0, 0), (1, 1)), 1.0, "")
    marked = facts_of(entry, [VERDICT], measurements=[mark])
    assert marked.measurements == ()
    [media] = json.loads(diagnostic_report(marked, "text"))["media"]
    assert media["link"]["identifier"]["value"] == "urn:oid:1.2.3.4"
    for other in (facts_of(entry, [VERDICT]), facts_of(ENTRY, [VERDICT], measurements=[mark])):
        assert "media" not in json.loads(diagnostic_report(other, "text"))
