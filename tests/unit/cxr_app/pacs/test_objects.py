"""The objects of a result: valid by dciodvfy, of the film's patient and study, the same again."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    JPEG2000Lossless,
)

from cxr_app.destination import ResultKind
from cxr_app.imaging.orientation import points_as_stored
from cxr_app.imaging.own_results import is_own_result
from tests.support.dicom_programs import iod_errors
from tests.support.factories import compressed_dicom_bytes, dicom_bytes, radiograph_dataset
from tests.support.results import SCORED_AT, file_of, hot_corner, result_object, written

OPTIONAL = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "StudyDate"),
    *("StudyTime", "AccessionNumber", "BodyPartExamined", "ViewPosition", "PatientOrientation"),
    *("StudyDescription", "SpecificCharacterSet"),
)
FILMS: dict[str, dict[str, Any]] = {
    "CR": {"SOPClassUID": ComputedRadiographyImageStorage, "Modality": "CR"},
    "DX": {"SOPClassUID": DigitalXRayImageStorageForPresentation, "Modality": "DX"},
    "MONOCHROME1": {"photometric_interpretation": "MONOCHROME1"},
    "without optional attributes": dict.fromkeys(OPTIONAL),
    "with empty attributes": dict.fromkeys(OPTIONAL[:-1], ""),
    "with spacing": {"ImagerPixelSpacing": [0.15, 0.15]},
    "with a spacing of 0": {"ImagerPixelSpacing": [0, 0]},
    "upside down": {"PatientOrientation": ["R", "H"]},
    "on its side": {"PatientOrientation": ["F", "L"]},
    "of a patient with umlauts": {
        "SpecificCharacterSet": "ISO_IR 100",
        "PatientName": "Müller^Jürgen",
    },
    "in Japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎",
    },
    "with a time zone": {"TimezoneOffsetFromUTC": "-0330"},
}
REAL = (
    *("dwv__data_gdcm-CR-MONO1-10-chest.dcm", "pydicom-data__data_RG1_J2KI.dcm"),
    *("pydicom__CR1_6154", "pydicom__CR2_6247", "pydicom__CR3_6278"),
    *("pylibjpeg-data__JPEGLSLossless_RG2_JLSL.dcm", "dicom-test-files__RLE_RG3_RLE"),
    *("pylibjpeg-data__JPEGExtended_RG2_JPLY_fixed.dcm", "pydicom-data__data_RG3_J2KI.dcm"),
)


def film(name: str = "CR") -> bytes:
    return dicom_bytes(radiograph_dataset(**FILMS[name]))


@pytest.mark.parametrize("kind", ResultKind)
@pytest.mark.parametrize("name", FILMS)
def test_every_object_is_valid(name: str, kind: ResultKind, tmp_path: Path) -> None:
    assert iod_errors(result_object(kind, film(name)), tmp_path) == []


@pytest.mark.parametrize("kind", ResultKind)
@pytest.mark.parametrize("name", REAL)
def test_objects_of_real_films_are_valid(
    name: str, kind: ResultKind, tmp_path: Path, shared_data: Path
) -> None:
    ds = dcmread(shared_data / "dicom" / name)
    ds.BodyPartExamined = "CHEST"  # others are not scored
    data = file_of(ds)
    assert iod_errors(result_object(kind, data), tmp_path) == []


@pytest.mark.parametrize("kind", ResultKind)
@pytest.mark.parametrize("name", FILMS)
def test_a_result_stands_in_the_study_of_its_film(name: str, kind: ResultKind) -> None:
    data = film(name)
    of = dcmread(BytesIO(data))
    made = written(result_object(kind, data))
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"):
        assert (made[keyword].value or "") == (of.get(keyword) or "")
    assert made.StudyInstanceUID == of.StudyInstanceUID
    assert made.SeriesInstanceUID != of.SeriesInstanceUID
    assert made.SOPInstanceUID != of.SOPInstanceUID


@pytest.mark.parametrize("kind", ResultKind)
def test_the_same_result_is_the_same_instance_to_the_byte(kind: ResultKind) -> None:
    data = film()
    assert file_of(result_object(kind, data)) == file_of(result_object(kind, data))


@pytest.mark.parametrize("kind", ResultKind)
def test_another_film_or_another_score_is_another_instance(kind: ResultKind) -> None:
    data = film()
    uids = {
        result_object(kind, data).SOPInstanceUID,
        result_object(kind, film()).SOPInstanceUID,
        result_object(kind, data, sha256="b" * 64).SOPInstanceUID,
        result_object(kind, data, scored_at=SCORED_AT.replace(second=16)).SOPInstanceUID,
    }
    assert len(uids) == 4


@pytest.mark.parametrize("kind", ResultKind)
def test_own_results_are_known_also_if_a_router_has_changed_their_maker(kind: ResultKind) -> None:
    made = written(result_object(kind, film()))
    assert is_own_result(made)
    made.Manufacturer = "Router"
    assert is_own_result(made)


def test_films_are_no_own_results(shared_data: Path) -> None:
    assert not is_own_result(radiograph_dataset())
    for name in REAL:
        assert not is_own_result(dcmread(shared_data / "dicom" / name, stop_before_pixels=True))


@pytest.mark.parametrize("kind", ResultKind)
def test_times_are_in_the_time_zone_of_the_film(kind: ResultKind) -> None:
    made = result_object(kind, film("with a time zone"))
    assert made.TimezoneOffsetFromUTC == "-0330"
    assert (made.InstanceCreationDate, made.InstanceCreationTime) == ("20260105", "060015")


@pytest.mark.parametrize("kind", ResultKind)
def test_illegal_values_of_a_film_do_not_keep_its_result_back(kind: ResultKind) -> None:
    with disable_value_validation():
        odd = radiograph_dataset(PatientID="7" * 80, StudyID="long " * 9, AccessionNumber="B" * 30)
        odd.PatientBirthDate, odd.StudyTime = "1.2.1980", "noon"
        made = result_object(kind, dicom_bytes(odd))
    assert made.PatientID == "7" * 80


def test_pictures_of_compressed_films_show_them(tmp_path: Path) -> None:
    data = compressed_dicom_bytes(radiograph_dataset(), JPEG2000Lossless)
    made = result_object(ResultKind.PICTURE, data)
    assert iod_errors(made, tmp_path) == []


def test_the_outline_lies_on_the_heat_whichever_way_the_film_lies() -> None:
    for ends in (["L", "F"], ["R", "F"], ["R", "H"], ["L", "H"], ["F", "L"], ["F", "R"]):
        data = dicom_bytes(radiograph_dataset(PatientOrientation=ends))
        state = result_object(ResultKind.OUTLINE, data)
        (annotation,) = state.GraphicAnnotationSequence
        (line,) = annotation.GraphicObjectSequence
        points = np.array(line.GraphicData).reshape(-1, 2) / (144, 160)
        turn = None if ends == ["L", "F"] else (ends[0], ends[1])
        middle = points_as_stored(np.array([[2.5 / 14, 3.5 / 14]]), turn)
        assert np.allclose((points.min(axis=0) + points.max(axis=0)) / 2, middle, atol=0.02)


def test_the_map_holds_the_evidence_on_the_grid_of_the_network() -> None:
    made = result_object(ResultKind.HEATMAP, film())
    values = np.frombuffer(made.FloatPixelData, "<f4").reshape(made.Rows, made.Columns)
    assert np.array_equal(values, hot_corner())
