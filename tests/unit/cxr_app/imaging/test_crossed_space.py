"""Films drawn from the crossed space of all elements, against the text of the standard.

``COMBINATIONS`` is the number drawn; 10,000 take ten minutes.
"""

import os
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.imaging.intake import read_radiograph
from cxr_app.imaging.pixels import full_range
from tests.support.factories import (
    Pixels,
    compressed_dicom_bytes,
    dicom_bytes,
    lut_item,
    radiograph_dataset,
    with_elements,
)
from tests.unit.cxr_app.imaging.by_the_standard import Facts, rendered, stored_value

COMBINATIONS = int(os.environ.get("COMBINATIONS", "500"))
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
COMPRESSED = (RLELossless, JPEG2000Lossless, JPEGLSLossless)
ROWS, COLUMNS = 33, 35  # JPEG 2000 here encodes no smaller film
LEVEL = 1 / 255


def drawn_words(draw: np.random.Generator, facts: dict[str, Any], *, noisy: bool) -> Pixels:
    """Draw words; beside the value they may hold anything."""
    stored, high = facts["stored"], facts["high"]
    values = draw.integers(0, 2**stored, (ROWS, COLUMNS))
    values[0, :2] = 0, 2**stored - 1
    words = values << (high + 1 - stored)
    if noisy:
        mask = ((1 << stored) - 1) << (high + 1 - stored)
        words |= draw.integers(0, 2**16, words.shape) & ~mask
    elif facts["signed"] and high == stored - 1:
        words = np.where(values >> (stored - 1), words | (0xFFFF << stored), words)
    return np.asarray((words & 0xFFFF).astype(np.uint16))


def table(draw: np.random.Generator, low: int, high: int) -> tuple[int, list[int], int]:
    """Draw a lookup table that covers about the values between two."""
    bits = int(draw.integers(8, 17))
    first = int(draw.integers(low, max(low + 1, (low + high) // 2)))
    entries = draw.integers(0, 2**bits, int(draw.integers(256, 3000)))
    entries[0] = 2**bits - 1
    return first, [int(entry) for entry in entries], bits


def combination(seed: int) -> tuple[Pixels, Facts, str, bool]:
    """Draw words, what their header says, a transfer syntax, and whether groups say it."""
    draw = np.random.default_rng(seed)
    compressed = draw.random() < 0.3
    syntax = str(draw.choice(COMPRESSED if compressed else NATIVE))
    stored = int(draw.integers(9, 17))
    high = int(draw.integers(stored - 1, 16)) if draw.random() < 0.3 else stored - 1
    known: dict[str, Any] = {"stored": stored, "high": high, "signed": bool(draw.random() < 0.4)}
    words = drawn_words(draw, known, noisy=bool(draw.random() < 0.5))
    known["inverted"] = bool(draw.random() < 0.4)
    span = _draw_modality(draw, known)
    _draw_display(draw, known, span)
    if draw.random() < 0.3:
        value = stored_value(int(words[3, 3]), Facts(**known))
        known["padding"] = value, value + int(draw.integers(0, 3))
    if draw.random() < 0.3:
        known["shutter"] = 3, 30, 2, 33
        known["shutter_value"] = int(draw.choice([0, 65_535, 30_000]))
    return words, Facts(**known), syntax, bool(draw.random() < 0.3)


def _draw_modality(draw: np.random.Generator, known: dict[str, Any]) -> tuple[int, int]:
    """Add a Modality LUT, or none; return the range of its output."""
    low = -(2 ** (known["stored"] - 1)) if known["signed"] else 0
    span = low, low + 2 ** known["stored"] - 1
    kind = draw.random()
    if kind < 0.3:
        slope = float(draw.choice([1, -1, 0.5, 2, 0.684]))
        known["rescale"] = slope, float(draw.integers(-3000, 3000))
        ends = sorted(int(slope * end + known["rescale"][1]) for end in span)
        return ends[0], ends[1]
    if kind < 0.45:
        known["table"] = table(draw, *span)
        return 0, 2 ** known["table"][2] - 1
    return span


def _draw_display(draw: np.random.Generator, known: dict[str, Any], span: tuple[int, int]) -> None:
    """Add a window or a VOI LUT, or none."""
    kind = draw.random()
    if kind < 0.5:
        width = int(draw.integers(max(4, (span[1] - span[0]) // 8), span[1] - span[0] + 8))
        known["window"] = float(draw.integers(span[0], span[1])), float(width)
        known["function"] = str(draw.choice(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
    elif kind < 0.65 and known.get("rescale", (1.0, 0.0))[0].is_integer():
        # What a table holds between whole numbers, the standard does not say.
        known["voi"] = table(draw, max(span[0], -32_000), min(span[1], 32_000))


def elements_of(facts: Facts, *, grouped: bool) -> dict[str, Any]:
    """Return the elements that say what is known; display facts may be in functional groups."""
    own: dict[str, Any] = {"PhotometricInterpretation": f"MONOCHROME{1 if facts.inverted else 2}"}
    macros: dict[str, dict[str, Any]] = {}
    if facts.table is not None:
        own["ModalityLUTSequence"] = [_item(facts.table)]
    elif facts.rescale != (1.0, 0.0):
        slope, intercept = (str(number) for number in facts.rescale)
        macros["PixelValueTransformationSequence"] = {
            "RescaleSlope": slope,
            "RescaleIntercept": intercept,
        }
    if facts.voi is not None:
        macros["FrameVOILUTSequence"] = {"VOILUTSequence": [_item(facts.voi)]}
    elif facts.window is not None:
        macros["FrameVOILUTSequence"] = {
            "WindowCenter": str(facts.window[0]),
            "WindowWidth": str(facts.window[1]),
            "VOILUTFunction": facts.function,
        }
    if facts.shutter is not None:
        names = ("UpperHorizontal", "LowerHorizontal", "LeftVertical", "RightVertical")
        edges = {
            f"Shutter{name}Edge": edge for name, edge in zip(names, facts.shutter, strict=True)
        }
        shown = {"ShutterPresentationValue": facts.shutter_value}
        macros["FrameDisplayShutterSequence"] = {"ShutterShape": "RECTANGULAR", **edges, **shown}
    if grouped:
        group = Dataset()
        for macro, said in macros.items():
            setattr(group, macro, [with_elements(Dataset(), **said)])
        own["SharedFunctionalGroupsSequence"] = [group]
    else:
        own |= {keyword: value for said in macros.values() for keyword, value in said.items()}
    return own


def _item(found: tuple[int, list[int], int]) -> Dataset:
    first, entries, bits = found
    item = lut_item(first, np.array(entries), bits)
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    return item


def written(words: Pixels, facts: Facts, syntax: str, *, grouped: bool) -> bytes:
    """Write a film; a codestream holds the whole words, whatever the header says of them."""
    ds = radiograph_dataset(words, bits_stored=16)
    if syntax in COMPRESSED:
        ds = dcmread(BytesIO(compressed_dicom_bytes(ds, syntax)))
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = facts.stored, facts.high, int(facts.signed)
    if facts.padding is not None:
        kind = "SS" if facts.signed else "US"
        ds.add_new("PixelPaddingValue", kind, facts.padding[0])
        ds.add_new("PixelPaddingRangeLimit", kind, min(facts.padding[1], _most(facts)))
    with_elements(ds, **elements_of(facts, grouped=grouped))
    if syntax not in COMPRESSED:
        return dicom_bytes(ds, syntax)
    buffer = BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


def _most(facts: Facts) -> int:
    return (1 << (facts.stored - facts.signed)) - 1


def whole_range(words: Pixels, facts: Facts) -> tuple[float, float]:
    """Return what the product shows black and white if the file does not say."""
    if facts.table is not None:
        return 0.0, float(2 ** facts.table[2] - 1)
    film = [
        stored_value(int(word), facts)
        for (row, column), word in np.ndenumerate(words)
        if facts.shutter is None
        or (
            facts.shutter[0] < row + 1 < facts.shutter[1]
            and facts.shutter[2] < column + 1 < facts.shutter[3]
        )
    ]
    if facts.padding is not None:
        film = [value for value in film if not facts.padding[0] <= value <= facts.padding[1]]
    ends = full_range(min(film), max(film), facts.stored, signed=facts.signed)
    slope, intercept = facts.rescale
    low, high = sorted(slope * end + intercept for end in ends)
    return low, high


@pytest.mark.timeout(3600)
def test_films_are_shown_as_the_standard_says() -> None:
    wrong = []
    for seed in range(COMBINATIONS):
        words, facts, syntax, grouped = combination(seed)
        expected = rendered(words, facts, whole_range(words, facts))
        radiograph = read_radiograph(written(words, facts, syntax, grouped=grouped))
        if any("No pixel lies" in remark for remark in radiograph.remarks):
            continue  # where the standard shows one grey
        apart = np.nan_to_num(np.abs(radiograph.image - expected)).max()
        if apart > LEVEL / 2:
            wrong.append((seed, float(apart), facts, syntax, grouped))
    assert not wrong, f"{len(wrong)} of {COMBINATIONS}: {str(wrong[0])[:600]}"
