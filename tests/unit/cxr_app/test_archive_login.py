"""Logins of DICOMweb archives, as a setting writes them."""

import pytest

from cxr_app.archive_login import authorization
from cxr_app.errors import SettingsError
from cxr_app.settings import Settings


def test_each_host_has_its_own_login() -> None:
    logins = Settings.read(
        results_logins="One.example.org=ab.c-1==  two:8443=scribe:pass:word=1\n[::1]:80=t"
    ).archive_logins
    assert authorization(logins, "https://one.example.org/rs") == "Bearer ab.c-1=="
    assert authorization(logins, "https://TWO:8443") == "Basic c2NyaWJlOnBhc3M6d29yZD0x"
    assert authorization(logins, "http://[::1]:80/rs") == "Bearer t"
    assert authorization(logins, "https://two/rs") == ""
    assert Settings.read().archive_logins == {}


@pytest.mark.parametrize(
    "written", ["s3cret", "one=", "one=s3cret one=s3cret", "one=s3cret,x", "o/n=s3cret"]
)
def test_a_fault_is_told_without_the_secret(written: str) -> None:
    with pytest.raises(SettingsError, match="CXR_RESULTS_LOGINS") as caught:
        Settings.read(results_logins=written)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_login_is_printed_with_the_settings() -> None:
    assert "s3cret" not in repr(Settings(results_logins="one=s3cret"))
