"""The lines beyond which the Drift page warns, as a site writes them."""

import pytest

from cxr_app.drift_alarms import DriftFigure, parse_alarm_lines
from cxr_app.errors import SettingsError
from cxr_app.settings import Settings


def test_lines_are_read() -> None:
    found = parse_alarm_lines(" psi=0.25, sensitivity = 0.9 ,")
    assert found == {DriftFigure.PSI: 0.25, DriftFigure.SENSITIVITY: 0.9}
    assert parse_alarm_lines("") == {}
    assert Settings(drift_alarms="psi=1.5").alarm_lines == {DriftFigure.PSI: 1.5}
    assert Settings().alarm_lines == {DriftFigure.PSI: 0.25}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("auroc=0.9", "names no figure; allowed are flagged, refused, psi"),
        ("psi", "expected a number between 0 and 10"),
        ("refused=20", "expected a number between 0 and 1"),
        ("flagged=nan", "expected a number"),
        ("ks=0", "expected a number"),
        ("psi=0.1,psi=0.2", "may be named once"),
    ],
)
def test_others_are_refused_with_what_is_allowed(written: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_alarm_lines(written)
    with pytest.raises(SettingsError, match=f"CXR_DRIFT_ALARMS.*{words}"):
        Settings.read(drift_alarms=written)
