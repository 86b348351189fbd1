"""Drawn films on disk, for the tests of what runs over folders."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from training.drawing.phantom_films import consolidation, diffuse, draw_phantom

KINDS = {"": "NORMAL", "bacterial": "PNEUMONIA", "viral": "PNEUMONIA"}


def jpeg(seed: int, cause: str = "", rows: int = 128, columns: int = 128) -> bytes:
    """A drawn chest film as JPEG: clear, with a consolidation, or with a diffuse haze."""
    opacities = {"": [], "bacterial": consolidation(seed), "viral": diffuse(seed)}[cause]
    image = np.rint(draw_phantom(seed, rows, columns, opacities) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def write_kaggle_folder(root: Path, patients: int) -> Path:
    """A folder in the Kaggle layout: as many patients of each kind, one film each."""
    names = {"": "IM-{:04d}-0001", "bacterial": "person{}_bacteria_1", "viral": "person{}_virus_2"}
    for offset, (cause, target) in enumerate(KINDS.items()):
        folder = root / "train" / target
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(patients):
            name = names[cause].format(number) + ".jpeg"
            (folder / name).write_bytes(jpeg(1000 * offset + number, cause))
    return root


def write_manifest(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write a CSV manifest with the columns that its rows have."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path
