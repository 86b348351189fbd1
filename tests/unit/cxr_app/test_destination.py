"""An archive's address, as a setting writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.destination import DEFAULT_KINDS, Destination, ResultKind
from cxr_app.errors import SettingsError
from cxr_app.settings import Settings

titles = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ", min_size=1, max_size=16).filter(
    lambda title: title.strip() == title
)
hosts = st.sampled_from(["archive", "pacs.example.org", "10.0.0.7", "::1", "fe80::1:2"])
kinds = st.lists(st.sampled_from(ResultKind), min_size=1, unique=True)


@given(titles, hosts, st.integers(1, 65_535), kinds)
def test_an_address_is_read_as_it_is_written(
    title: str, host: str, port: int, wanted: list[ResultKind]
) -> None:
    ordered = tuple(kind for kind in ResultKind if kind in wanted)
    destination = Destination(title, host, port, ordered)
    written = f"{destination.name}={'+'.join(kind.value for kind in wanted)}"
    assert Destination.parse(f" {written} ") == destination
    assert Destination.parse(destination.name).kinds == DEFAULT_KINDS


@pytest.mark.parametrize(
    "written",
    [
        "archive:104",
        "@archive:104",
        " @archive:104",
        "A@archive",
        "A@archive:0",
        "A@archive:65536",
        "A@:104",
        "SEVENTEEN_LETTERS@archive:104",
        "A@archive:104=",
        "A@archive:104=sr+pdf",
        "A\\B@archive:104",
        "A@archive:104,A@archive:104=sc",
    ],
)
def test_other_addresses_are_refused_in_words(written: str) -> None:
    with pytest.raises(SettingsError, match="CXR_RESULTS_TO"):
        Settings.read(results_to=written)


def test_several_archives_each_get_their_own_objects() -> None:
    first, second = Settings.read(results_to="A@one:104, B@two:105=sr+pm,").destinations
    assert (first.name, first.kinds) == ("A@one:104", DEFAULT_KINDS)
    assert second.kinds == (ResultKind.REPORT, ResultKind.HEATMAP)
    assert Settings.read().destinations == ()
