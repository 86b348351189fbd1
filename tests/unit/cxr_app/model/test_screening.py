"""Only chest films are scored, and a refusal has its reason."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.lung_fields import LungFields
from cxr_app.model.screening import (
    MIN_SIDE,
    NO_LUNGS,
    UNRELIABLE,
    Screening,
    ViewClass,
    lung_remarks,
    screen,
    screen_age,
    screen_view,
)
from cxr_app.radiograph import Header, Image, Radiograph
from tests.support.lungs import two_lungs
from training.drawing.phantom_films import draw_phantom

FILM = draw_phantom(1, 300, 260)
CHEST = Header(modality="CR", body_part_examined="CHEST", view_position="AP")


def refusal(
    header: Header | None = CHEST, image: Image = FILM, colour_fraction: float = 0.0
) -> str | None:
    return screen(
        Radiograph(
            image=image.copy(),
            sha256="0" * 64,
            file_format="DICOM" if header else "PNG",
            header=header,
            colour_fraction=colour_fraction,
        )
    )


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "RG", "RF", "OT", "SC", ""])
def test_projection_radiograph_is_scored(modality: str) -> None:
    assert refusal(dataclasses.replace(CHEST, modality=modality)) is None


@pytest.mark.parametrize("header", [None, Header()], ids=["no header", "empty header"])
def test_missing_values_are_no_reason_for_refusal(header: Header | None) -> None:
    assert refusal(header) is None


@pytest.mark.parametrize(
    ("modality", "words"),
    [("CT", "a CT image"), ("mr ", "an MR image"), ("US", "ultrasound"), ("MG", "mammogram")],
)
def test_other_modality_is_named(modality: str, words: str) -> None:
    reason = refusal(dataclasses.replace(CHEST, modality=modality))
    assert reason is not None
    assert words in reason
    assert reason.startswith("The film was not scored: ")


@pytest.mark.parametrize("modality", ["", "OT"])
def test_the_sop_class_decides_if_the_modality_does_not(modality: str) -> None:
    header = Header(modality=modality, sop_class_uid="1.2.840.10008.5.1.4.1.1.2")
    assert "a CT image" in (refusal(header) or "")


@pytest.mark.parametrize("part", ["HAND", "CSPINE", "TSPINE", "THORACIC SPINE", "Skull", "HIP"])
def test_other_body_part_is_refused(part: str) -> None:
    assert "another part of the body" in (
        refusal(dataclasses.replace(CHEST, body_part_examined=part)) or ""
    )


@pytest.mark.parametrize(
    "part", ["CHEST", "Thorax", "LUNG", "CHEST_ABDOMEN", "CHESTABDPELVIS", "WHOLEBODY", "OTHER", ""]
)
def test_body_part_that_may_be_the_chest_is_scored(part: str) -> None:
    assert refusal(dataclasses.replace(CHEST, body_part_examined=part)) is None


@pytest.mark.parametrize("view", ["LL", "RL", "LATERAL", "lat"])
def test_lateral_view_is_refused(view: str) -> None:
    assert "lateral view" in (refusal(dataclasses.replace(CHEST, view_position=view)) or "")


@pytest.mark.parametrize("view", ["AP", "PA", "LLD", "RLD", "", "PORTABLE"])
def test_frontal_or_unnamed_view_is_scored(view: str) -> None:
    assert refusal(dataclasses.replace(CHEST, view_position=view)) is None


@pytest.mark.parametrize(
    ("orientation", "view", "refused"),
    [("A\\F", "", True), ("P\\F", "", True), ("L\\F", "", False), ("A\\F", "PA", False)],
)
def test_rows_from_front_to_back_mean_a_lateral_view(
    orientation: str, view: str, refused: bool
) -> None:
    header = Header(modality="DX", patient_orientation=orientation, view_position=view)
    assert bool(refusal(header)) is refused


def test_oblique_view_is_refused() -> None:
    assert "oblique" in (refusal(dataclasses.replace(CHEST, view_position="RAO")) or "")


def test_localizer_is_refused() -> None:
    header = dataclasses.replace(CHEST, modality="OT", image_type="ORIGINAL\\PRIMARY\\LOCALIZER")
    assert "localizer" in (refusal(header) or "")


def test_film_as_small_as_those_of_training_is_scored() -> None:
    assert refusal(image=draw_phantom(1, 224, 224)) is None


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (draw_phantom(1, MIN_SIDE - 1, 300), "too small"),
        (np.zeros((300, 300), np.float32), "blank"),
        (np.full((300, 300), 0.7, np.float32), "blank"),
        (0.5 + 0.03 * FILM, "blank"),
        (np.tile(FILM, (1, 4)), "a strip"),
        ((FILM > 0.5).astype(np.float32), "only 2 shades of grey"),
    ],
    ids=["small", "black", "grey", "flat", "strip", "mask"],
)
def test_pixels_that_cannot_be_a_film_are_refused(image: Image, words: str) -> None:
    for header in (CHEST, None):
        assert words in (refusal(header, image) or "")


def test_colour_picture_is_refused() -> None:
    assert "colour picture" in (refusal(None, colour_fraction=0.4) or "")


def test_coloured_mark_on_a_film_is_no_reason_for_refusal() -> None:
    assert refusal(None, colour_fraction=0.01) is None


def test_reason_holds_nothing_of_the_patient() -> None:
    header = Header(modality="CT", patient_name="Lovelace^Ada", patient_id="P-1815")
    assert not {"Lovelace", "1815"} & set((refusal(header) or "").split())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ViewClass.TURNED_LEFT, "on its side"),
        (ViewClass.TURNED_RIGHT, "on its side"),
        (ViewClass.UPSIDE_DOWN, "upside down"),
        (ViewClass.NEGATIVE, "inverted"),
        (ViewClass.OTHER, "does not look like a frontal chest film"),
    ],
)
def test_film_that_does_not_lie_right_or_is_none_is_refused(kind: ViewClass, words: str) -> None:
    assert words in (screen_view(kind).refusal or "")
    assert screen_view(kind).remarks == ()


def test_mirrored_film_is_scored_with_a_remark() -> None:
    assert screen_view(ViewClass.MIRRORED).refusal is None
    assert "may be mirrored" in screen_view(ViewClass.MIRRORED).remarks[0]
    assert screen_view(ViewClass.UPRIGHT) == Screening()


@pytest.mark.parametrize(
    ("age", "outside"),
    [("001Y", False), ("005Y", False), ("006Y", True), ("054Y", True), ("011M", True),
     ("012M", False), ("018M", False), ("071M", False), ("010D", True), ("060W", False),
     ("", False)],
)  # fmt: skip
def test_an_age_outside_the_population_is_remarked(age: str, outside: bool) -> None:
    assert (screen_age(Header(patient_age=age)) is not None) is outside


@pytest.mark.parametrize(
    ("birth", "study", "outside"),
    [
        ("20200615", "20210614", True),
        ("20200615", "20210615", False),
        ("20200615", "20260614", False),
        ("20200615", "20260615", True),
        ("20200615", "", False),
        ("20200615", "20190101", False),
    ],
)
def test_age_is_the_time_from_birth_to_study_where_it_is_not_stated(
    birth: str, study: str, outside: bool
) -> None:
    header = Header(patient_birth_date=birth, study_date=study)
    assert (screen_age(header) is not None) is outside


def test_film_without_header_has_no_age() -> None:
    assert screen_age(None) is None


WORDS = st.sampled_from(
    ["", "CR", "DX", "CT", "OT", "CHEST", "HAND", "THORAX", "AP", "PA", "LL", "RAO", "LOCALIZER",
     "ORIGINAL\\PRIMARY", "DERIVED\\SECONDARY\\MPR", "A\\F", "L\\F", "1.2.840.10008.5.1.4.1.1.2"]
) | st.text(max_size=12)  # fmt: skip


@given(header=st.builds(Header, **{field.name: WORDS for field in dataclasses.fields(Header)}))
def test_any_header_gives_one_sentence_or_none(header: Header) -> None:
    for answer in (refusal(header), screen_age(header)):
        assert answer is None or (answer.endswith(".") and "\n" not in answer)


@given(
    modality=st.sampled_from(["CR", "DX", ""]),
    part=st.sampled_from(["CHEST", "THORAX", "", "chest"]),
    view=st.sampled_from(["AP", "PA", "", "LLD"]),
    age=st.sampled_from(["002Y", "060Y", ""]),
    image_type=st.sampled_from(["ORIGINAL\\PRIMARY", "DERIVED\\PRIMARY", ""]),
)
def test_every_header_of_a_frontal_chest_film_may_be_scored(
    modality: str, part: str, view: str, age: str, image_type: str
) -> None:
    header = Header(
        modality=modality,
        body_part_examined=part,
        view_position=view,
        patient_age=age,
        image_type=image_type,
    )
    assert refusal(header) is None


@given(
    header=st.builds(Header, patient_age=WORDS, study_description=WORDS, manufacturer=WORDS),
    telling=st.sampled_from(
        [{"modality": "CT"}, {"modality": "MR"}, {"modality": "SR"}, {"modality": "PR"},
         {"modality": "CR", "body_part_examined": "KNEE"},
         {"modality": "DX", "view_position": "RL"},
         {"modality": "OT", "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2"},
         {"modality": "CR", "image_type": "DERIVED\\SECONDARY\\REFORMATTED"}]
    ),
)  # fmt: skip
def test_no_other_value_hides_what_is_no_frontal_chest_film(
    header: Header, telling: dict[str, str]
) -> None:
    assert refusal(dataclasses.replace(header, **telling)) is not None


def test_the_ages_are_those_of_the_checkpoint() -> None:
    ages = ((1, 5), (18, 120))
    for age, inside in (("003Y", True), ("010Y", False), ("017Y", False), ("018Y", True)):
        assert (screen_age(Header(patient_age=age), ages) is None) is inside
    assert "1 to 5 years or 18 years and over" in (
        screen_age(Header(patient_age="010Y"), ages) or ""
    )


@pytest.mark.parametrize(
    ("lungs", "expected"),
    [
        (None, ()),
        (two_lungs(), ()),
        (two_lungs(found=False), (f"{NO_LUNGS} {UNRELIABLE}",)),
        (
            two_lungs(first_column=0),
            ("A lung seems to be cut off at the left edge of the film.",),
        ),
        (
            dataclasses.replace(two_lungs(), cut_off=("left", "bottom")),
            ("A lung seems to be cut off at the left and bottom edges of the film.",),
        ),
    ],
)
def test_a_remark_mentions_lungs_that_are_missing_or_cut_off(
    lungs: LungFields | None, expected: tuple[str, ...]
) -> None:
    assert lung_remarks(lungs) == expected
