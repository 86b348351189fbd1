"""A setting means what was written, or the server does not start; a mistyped name is told."""

import os

import pytest

from cxr_app.errors import SettingsError
from cxr_app.settings import Settings
from cxr_app.written_settings import (
    EMPTY_MEANS_NONE,
    SAFEGUARDS,
    in_words,
    unknown_variables,
)

TEXTS = sorted(name for name, field in Settings.model_fields.items() if field.annotation is str)
GROUPS = [name for name in TEXTS if name.endswith("_groups")]
HEADERS = ["reader_header", "groups_header"]
FOLDERS = ["backlog_folders", "training_folders"]


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - EMPTY_MEANS_NONE - SAFEGUARDS))
def test_an_empty_setting_has_its_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", "")
    assert getattr(Settings.read(), name) == Settings.model_fields[name].default


@pytest.mark.parametrize("name", sorted(EMPTY_MEANS_NONE))
def test_a_list_may_be_emptied(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", "")
    assert not getattr(Settings.read(), name)


@pytest.mark.parametrize("name", sorted(SAFEGUARDS))
def test_an_empty_safeguard_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", "")
    with pytest.raises(SettingsError, match=f"CXR_{name.upper()} is "):
        Settings.read()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
@pytest.mark.parametrize("written", [" ", "\t", " ; ", ",", ";;"])
def test_a_value_of_only_spaces_and_separators_is_refused(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", written)
    with pytest.raises(SettingsError, match=f"CXR_{name.upper()} is "):
        Settings.read()


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_only_separators_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", os.pathsep * 2)
    with pytest.raises(SettingsError, match=f"CXR_{name.upper()} is "):
        Settings.read()


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize(
    "written", ["X User", "X-User:", "X-User ", "X(1)", "\u00c4", "a\nb", "{u}"]
)
def test_what_no_http_header_is_named_is_refused(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", written)
    with pytest.raises(SettingsError, match="name of one HTTP header"):
        Settings.read()


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("written", ["X-Forwarded-User", "remote_user", "X.1"])
def test_names_of_http_headers_are_taken(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CXR_{name.upper()}", written)
    assert getattr(Settings.read(), name) == written


@pytest.mark.parametrize(
    ("variable", "similar"),
    [
        ("CXR_SIGNIN", "CXR_SIGN_IN"),
        ("CXR_RETENTION_DAY", "CXR_RETENTION_DAYS"),
        ("cxr_retention_day", "CXR_RETENTION_DAYS"),
        ("CXR_DICOM_PROT", "CXR_DICOM_PORT"),
        ("CXR_Q", ""),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_nearest(variable: str, similar: str) -> None:
    environment = [variable, "PATH", "CXR_SIGN_IN", "cxr_data_dir", "XCXR_A"]
    assert unknown_variables(Settings.variables(), environment) == {variable: similar}
    sentence = in_words(variable, similar)
    assert variable in sentence
    assert ("Did you mean" in sentence) == bool(similar)


def test_every_setting_is_known() -> None:
    assert not unknown_variables(Settings.variables(), Settings.variables())
