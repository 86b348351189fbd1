import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.support.machines import of_machine, plain
from training.acquisition.writing import CORNERS, find_lines, writing_groups

LOWER_RIGHT = CORNERS["lower right"]


def wired(seed: int) -> np.ndarray:
    """A film with a bright wire in the corner, another one each time."""
    generator = np.random.default_rng(seed)
    page = Image.fromarray(plain(seed))
    points = [(int(x), int(y)) for x, y in generator.integers((150, 190), (223, 223), (4, 2))]
    ImageDraw.Draw(page).line(points, fill=255, width=2)
    return np.asarray(page)


def test_films_with_the_same_writing_are_named_by_what_is_written() -> None:
    films = [of_machine(seed, text=f"KV{55 + seed % 12}") for seed in range(24)]
    films += [plain(seed) for seed in range(24, 48)]

    names = writing_groups(np.array(films))

    assert sum(name == "KV" for name in names[:24]) >= 22
    assert "KV" not in names[24:]


def test_wires_are_not_writing() -> None:
    assert set(writing_groups(np.array([wired(seed) for seed in range(30)]))) == {""}


def test_writing_of_one_film_alone_is_no_group() -> None:
    films = [of_machine(0), *(plain(seed) for seed in range(1, 20))]

    assert set(writing_groups(np.array(films))) == {""}


@pytest.mark.parametrize("text", ["KV59", "19:38:55", "mA:320"])
def test_a_line_is_found_where_it_was_written(text: str) -> None:
    corner = of_machine(1, text=text)[LOWER_RIGHT.rows, LOWER_RIGHT.columns]

    best = max(find_lines(corner, LOWER_RIGHT.strokes), key=lambda line: line.clearness)

    assert 15 <= best.rows.start < best.rows.stop <= 36
    assert best.columns.stop - best.columns.start >= 10
    assert best.height.max() > 100


def test_a_black_corner_has_no_line() -> None:
    assert find_lines(np.zeros((36, 80), dtype=np.uint8), 1.0) == []
