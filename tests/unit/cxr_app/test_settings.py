import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxr_app.current_settings import current_settings
from cxr_app.errors import SettingsError
from cxr_app.settings import Settings


def test_the_app_runs_with_nothing_set(project_root: Path) -> None:
    settings = Settings.read()
    assert settings.data_dir == project_root / "data"
    assert settings.device == "auto"
    assert settings.waiting_cap_hours == 72
    assert settings.other_ages == "remark"
    assert settings.debug is False
    assert settings.worklist_url == f"sqlite:///{settings.data_dir}/worklist.sqlite"
    assert settings.films_dir == settings.data_dir / "films"


def test_an_environment_variable_sets_its_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    settings = Settings.read()
    assert (settings.data_dir, settings.device) == (tmp_path, "cpu")
    assert settings.worklist_url == f"sqlite:///{tmp_path}/worklist.sqlite"


def test_a_database_url_replaces_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://reader@db/worklist"
    monkeypatch.setenv("CXR_DATABASE_URL", url)
    assert Settings.read().worklist_url == url


def test_an_override_takes_precedence_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", "/elsewhere")
    assert Settings.read(data_dir=tmp_path).data_dir == tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CXR_DEVICE", "tpu"),
        ("CXR_WAITING_CAP_HOURS", "soon"),
        ("CXR_WAITING_CAP_HOURS", "0"),
        ("CXR_WAITING_CAP_HOURS", "-1"),
        ("CXR_RETENTION_DAYS", "-1"),
        ("CXR_RETENTION_DAYS", "a month"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        Settings.read()


@pytest.mark.parametrize(("value", "days"), [("", 0), ("0", 0), ("30", 30)])
def test_films_are_kept_forever_unless_days_are_set(
    value: str, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_RETENTION_DAYS", value)
    assert Settings.read().retention_days == days


@pytest.mark.parametrize("name", ["CXR_AE_TITLE", "CXR_DICOM_CALLERS"])
@pytest.mark.parametrize("title", ["SEVENTEEN_LETTERS", "A\\B", "\u00c4\u00d6", "A\tB"])
def test_a_title_that_no_program_can_have_is_refused_in_words(
    name: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, title)
    with pytest.raises(SettingsError, match=r"at most 16 characters.*no backslash") as refused:
        Settings.read()
    assert str(refused.value).startswith(f"{name} is {title!r}: an AE title has")


def test_every_sender_of_a_list_must_have_a_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_DICOM_CALLERS", "CT 1, XRAY,")
    assert Settings.read().caller_titles == {"CT 1", "XRAY"}
    monkeypatch.setenv("CXR_DICOM_CALLERS", "CT1, A\\B")
    with pytest.raises(SettingsError, match="no backslash"):
        Settings.read()


def test_no_setting_is_refused_by_a_regular_expression() -> None:
    for name, field in Settings.model_fields.items():
        assert not any(getattr(each, "pattern", None) for each in field.metadata), name


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
@pytest.mark.parametrize("value", ["\\", "?", "\u00c4@b:c,-1"])
def test_no_refusal_shows_a_regular_expression(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", value)
    try:
        Settings.read()
    except SettingsError as error:
        reason = str(error).partition(": ")[2] or str(error)
        assert "pattern" not in reason
        assert "^" not in reason


NUMBERS = sorted(
    name
    for name, field in Settings.model_fields.items()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
)
UNITS = {"hours", "days", "minutes", "seconds"}


def test_there_are_numbers_to_look_at() -> None:
    assert {"waiting_cap_hours", "retention_days", "idle_minutes", "prevalence"} <= set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
@given(number=st.floats() | st.integers() | st.sampled_from([1e8, 876_000, 2.4e7, 10**400]))
@example(math.inf)
@example(math.nan)
def test_a_number_is_usable_or_refused_in_a_sentence(name: str, number: float) -> None:
    written, value, refusal = repr(number), 0.0, ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"CXR_{name.upper()}", written)
        try:
            value = getattr(Settings.read(), name)
        except SettingsError as refused:
            refusal = str(refused)
    assert not refusal or refusal.startswith(f"CXR_{name.upper()} is {written!r}: ")
    assert math.isfinite(60.0 * value)
    unit = name.rpartition("_")[2]
    if unit in UNITS:
        assert datetime.now(UTC) - timedelta(**{unit: value})
        assert datetime.now(UTC) + timedelta(**{unit: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("number", ["inf", "1e400", "99999999", "9" * 400])
def test_no_number_is_without_an_upper_limit(
    name: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", number)
    with pytest.raises(SettingsError, match=f"CXR_{name.upper()} is '{number}'"):
        Settings.read()


def test_settings_are_immutable() -> None:
    settings = Settings.read()
    with pytest.raises(ValueError, match="frozen"):
        settings.device = "cpu"


def test_every_setting_has_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_environment_is_read_again_only_if_it_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = current_settings()
    assert current_settings() is before
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    assert current_settings() == Settings.read()
    monkeypatch.delenv("CXR_DEVICE")
    assert current_settings() == before
    monkeypatch.setenv("CXR_DEVICE", "tpu")
    for _ in range(2):
        with pytest.raises(SettingsError):
            current_settings()
