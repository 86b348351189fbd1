"""DCMTK sends films in every transfer syntax; what is acknowledged is kept as it was sent."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.imaging.film_identity import film_identity
from cxr_app.imaging.own_results import MANUFACTURER, MODEL_NAME
from cxr_app.worklist import Entry, Query, Worklist
from tests.support.factories import (
    compressed_dicom_bytes,
    dicom_bytes,
    encapsulated_dicom_bytes,
    film_pixels,
    jpeg_dicom_bytes,
    radiograph_dataset,
)
from tests.support.peers import ReceiverUnderTest, need, receiving

NATIVE = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
COMPRESSED = [RLELossless, JPEGLSLossless, JPEG2000Lossless]
HTJ2K_FILM = Path(__file__).resolve().parents[2] / "data" / "film.j2c"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverUnderTest]:
    with receiving(tmp_path_factory.mktemp("site") / "data") as started:
        yield started


@pytest.fixture
def worklist(receiver: ReceiverUnderTest) -> Iterator[Worklist]:
    opened = Worklist.open(f"sqlite:///{receiver.data_dir / 'worklist.sqlite'}")
    yield opened
    opened.close()


def content(data: bytes) -> str:
    identity = film_identity(data)
    assert identity is not None
    return identity.dataset_sha256


def kept(worklist: Worklist) -> dict[str, Entry]:
    """Return the films of the worklist by their content."""
    entries = worklist.page(Query(state="all"), limit=1000)
    return {content(entry.path.read_bytes()): entry for entry in entries}


def write(folder: Path, *films: bytes) -> list[Path]:
    paths = [folder / f"{number}.dcm" for number, _ in enumerate(films)]
    for path, film in zip(paths, films, strict=True):
        path.write_bytes(film)
    return paths


def lossless_jpeg(folder: Path) -> bytes:
    """Return a film as DCMTK compresses it: JPEG lossless, of 16 bits."""
    source, target = folder / "source.dcm", folder / "lossless.dcm"
    source.write_bytes(dicom_bytes())
    subprocess.run(  # DCMTK is found by the path
        ["dcmcjpeg", "+e1", source, target],  # noqa: S607
        check=True,
        timeout=30,
    )
    film = target.read_bytes()
    for path in (source, target):
        path.unlink()
    return film


def test_dcmsend_sends_compressed_films_unchanged(
    receiver: ReceiverUnderTest, worklist: Worklist, tmp_path: Path
) -> None:
    """It would convert those that the receiver does not prefer; films without compression are."""
    need("dcmsend")
    films = [compressed_dicom_bytes(radiograph_dataset(), syntax) for syntax in COMPRESSED]
    films += [jpeg_dicom_bytes(film_pixels(bits=8)), lossless_jpeg(tmp_path), dicom_bytes()]
    converted = [dicom_bytes(None, syntax) for syntax in NATIVE]
    before = worklist.count(Query(state="all"))
    for _ in range(2):
        receiver.send("dcmsend", files=write(tmp_path, *films, *converted))
        assert {content(film) for film in films} <= kept(worklist).keys()
        assert worklist.count(Query(state="all")) == before + len(films) + len(converted)


@pytest.mark.parametrize(
    ("option", "syntax"),
    [
        ("-xi", ImplicitVRLittleEndian),
        ("-xe", ExplicitVRLittleEndian),
        ("-xb", ExplicitVRBigEndian),
        ("-xd", DeflatedExplicitVRLittleEndian),
        ("-xr", RLELossless),
        ("-xt", JPEGLSLossless),
        ("-xv", JPEG2000Lossless),
    ],
)
def test_storescu_sends_a_transfer_syntax(
    receiver: ReceiverUnderTest, worklist: Worklist, tmp_path: Path, option: str, syntax: UID
) -> None:
    native = syntax in NATIVE
    film = (
        dicom_bytes(None, syntax)
        if native
        else compressed_dicom_bytes(radiograph_dataset(), syntax)
    )
    receiver.send("storescu", "-R", option, files=write(tmp_path, film))
    entry = kept(worklist)[content(film)]
    assert dcmread(entry.path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    assert entry.source == "STORESCU@127.0.0.1"


def test_a_peer_may_send_htj2k(receiver: ReceiverUnderTest, worklist: Worklist) -> None:
    """DCMTK 3.6.7 does not know it."""
    ds = radiograph_dataset(Rows=448, Columns=448)
    film = encapsulated_dicom_bytes(ds, HTJ2K_FILM.read_bytes(), HTJ2KLossless)
    assert receiver.store(film) == (0x0000, "")
    assert content(film) in kept(worklist)


def test_it_answers_an_echo(receiver: ReceiverUnderTest) -> None:
    need("echoscu")
    assert receiver.echo() == 0x0000
    assert receiver.send("echoscu", "-v").count("Success") == 1


def document() -> bytes:
    ds = radiograph_dataset(SOPClassUID=EncapsulatedPDFStorage, Modality="DOC")
    del ds.PixelData
    return dicom_bytes(ds)


def cut(data: bytes) -> bytes:
    return data[:-100]


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (document(), 0x0122, "projection radiographs"),
        (cut(dicom_bytes()), 0xC001, "cut short"),
        (cut(dicom_bytes(None, ImplicitVRLittleEndian)), 0xC001, "cut short"),
        (cut(dicom_bytes(None, ExplicitVRBigEndian)), 0xC001, "cut short"),
    ],
    ids=["document", "cut", "cut implicit", "cut big endian"],
)
def test_an_object_is_refused_in_words(
    receiver: ReceiverUnderTest, worklist: Worklist, data: bytes, status: int, word: str
) -> None:
    before = worklist.count(Query(state="all"))
    answered, comment = receiver.store(data)
    assert answered == status
    assert word in comment
    assert worklist.count(Query(state="all")) == before


def test_an_object_of_another_uid_than_announced_is_refused(receiver: ReceiverUnderTest) -> None:
    assert receiver.store(dicom_bytes(), announced="1.2.3")[0] == 0xA900


@pytest.mark.parametrize("kind", ["1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88.34"])
def test_our_own_results_are_acknowledged_and_make_no_entry(
    receiver: ReceiverUnderTest, worklist: Worklist, kind: str
) -> None:
    """A grey picture or a report that an archive forwards to whom it came from."""
    before = kept(worklist)
    result = radiograph_dataset(
        SOPClassUID=kind, Manufacturer=MANUFACTURER, ManufacturerModelName=MODEL_NAME
    )
    assert receiver.store(dicom_bytes(result)) == (0x0000, "")
    assert kept(worklist) == before


def test_another_makers_picture_is_received(
    receiver: ReceiverUnderTest, worklist: Worklist
) -> None:
    film = dicom_bytes(
        radiograph_dataset(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", Manufacturer="Acme")
    )
    assert receiver.store(film) == (0x0000, "")
    assert content(film) in kept(worklist)


def test_no_log_names_a_patient(receiver: ReceiverUnderTest) -> None:
    film = radiograph_dataset(PatientName="Quuxlove^Zebedea", PatientID="QX-18151210")
    for data in (dicom_bytes(film), cut(dicom_bytes(film)), dicom_bytes(film)[:700]):
        receiver.store(data, title="PLANTED")
    log = receiver.log.read_text()
    assert "Refused from PLANTED@127.0.0.1: 0xC001" in log
    assert "Quux" not in log
    assert "QX-" not in log
