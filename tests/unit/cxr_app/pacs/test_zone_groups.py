"""Where the heat lies, as DCMTK reads it in the report."""

from pathlib import Path

import pytest

from cxr_app.destination import ResultKind
from cxr_app.lung_fields import Extent
from cxr_app.prediction import HeatScale, visible_extent
from tests.support.dicom_programs import iod_errors, report_text
from tests.support.factories import dicom_bytes
from tests.support.lungs import two_lungs
from tests.support.results import hot_corner, result_object


def extent() -> Extent:
    found = visible_extent(hot_corner(), HeatScale(0.0, 2.0), two_lungs())
    assert found is not None
    return found


def test_each_zone_with_heat_is_named_with_its_side_and_share(tmp_path: Path) -> None:
    found = extent()
    hot = {zone: share for zone, share in found.zones.items() if share > 0}
    assert hot.keys() == {"right upper"}
    report = result_object(ResultKind.REPORT, dicom_bytes(), extent=found)
    said = report_text(report, tmp_path)
    assert '(281392002,SCT,"Upper zone of lung")' in said
    assert "281393007" not in said, "the middle zones are cold"
    assert '(24028007,SCT,"Right")' in said
    assert "7771000" not in said, "the left lung is cold"
    for share in hot.values():
        assert f'="{round(100 * share, 1)}"' in said
    assert f'not validated")="{float(found.score)}"' in said
    assert iod_errors(report, tmp_path) == []


@pytest.mark.parametrize("film", [{"extent": None}, {"extent": Extent({}, {}, 0)}], ids=str)
def test_without_lungs_or_heat_in_them_no_zone_is_named(
    film: dict[str, Extent | None], tmp_path: Path
) -> None:
    said = report_text(result_object(ResultKind.REPORT, dicom_bytes(), **film), tmp_path)
    assert "zone" not in said
    assert "99CXRTRIAGE" not in said


def test_a_zone_has_the_same_tracking_uid_in_every_report_of_a_film() -> None:
    data = dicom_bytes()
    first = result_object(ResultKind.REPORT, data, extent=extent())
    again = result_object(ResultKind.REPORT, data, extent=extent())
    assert str(first) == str(again)
