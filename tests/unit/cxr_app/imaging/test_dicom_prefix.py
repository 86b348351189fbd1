"""What tells DICOM files apart agrees with the standard as pydicom has it."""

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from cxr_app.imaging.dicom_prefix import LONG_REPRESENTATIONS, VALUE_REPRESENTATIONS


def test_all_value_representations_are_known() -> None:
    assert {each.decode() for each in VALUE_REPRESENTATIONS} == {
        vr.value for vr in VR if len(vr.value) == 2
    }
    assert {each.decode() for each in LONG_REPRESENTATIONS} == {
        vr.value for vr in EXPLICIT_VR_LENGTH_32
    }
