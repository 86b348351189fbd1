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


@given(
    st.sampled_from(["https", "http"]),
    st.sampled_from(["archive", "pacs.example.org", "10.0.0.7", "[::1]"]),
    st.none() | st.integers(1, 65_535),
    st.sampled_from(["", "/", "/dicom-web", "/dcm4chee-arc/aets/AE/rs/", "/~a.b_c"]),
    kinds,
)
def test_a_dicomweb_address_is_read_as_it_is_written(
    scheme: str, host: str, port: int | None, path: str, wanted: list[ResultKind]
) -> None:
    url = f"{scheme}://{host}{'' if port is None else f':{port}'}{path}"
    destination = Destination.parse(f" {url}={'+'.join(kind.value for kind in wanted)} ")
    assert destination.name == destination.url == url.rstrip("/")
    assert destination.kinds == tuple(kind for kind in ResultKind if kind in wanted)
    assert Destination.parse(url).kinds == DEFAULT_KINDS


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
        "https://archive/rs,https://archive/rs/=sc",
        "https://",
        "ftp://archive/rs",
        "https://archive:65536/rs",
        "https://archive/rs?study=1",
        "https://archive/rs#top",
        "https://scribe:secret@archive/rs",
        "https://archive/rs=sr+pdf",
    ],
)
def test_other_addresses_are_refused_in_words(written: str) -> None:
    with pytest.raises(SettingsError, match="CXR_RESULTS_TO"):
        Settings.read(results_to=written)


def test_films_are_fetched_from_one_archive() -> None:
    for several in ("A@one:104,B@two:105", "A@one:104=sr", "A@one:104,https://two/dicom-web"):
        with pytest.raises(SettingsError, match="CXR_FILMS_FROM"):
            Settings.read(films_from=several)
    assert Settings.read(films_from="https://one/dicom-web").film_archive is not None


def test_several_archives_each_get_their_own_objects() -> None:
    first, second = Settings.read(results_to="A@one:104, B@two:105=sr+pm,").destinations
    assert (first.name, first.kinds) == ("A@one:104", DEFAULT_KINDS)
    assert second.kinds == (ResultKind.REPORT, ResultKind.HEATMAP)
    assert Settings.read().destinations == ()


@pytest.mark.parametrize("title", ["SEVENTEEN_LETTERS", "A\\B", "\u00c4\u00d6", ""])
def test_a_title_that_no_archive_can_have_is_refused_in_words(title: str) -> None:
    with pytest.raises(ValueError, match=r"at most 16 characters.*no backslash"):
        Destination.parse(f"{title}@archive:104")
