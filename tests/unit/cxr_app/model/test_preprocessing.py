import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.model.preprocessing import InputSpec, resize_to_square, to_input

sides = st.integers(min_value=1, max_value=300)


@given(rows=sides, columns=sides, grey=st.floats(0, 1, width=32))
def test_an_even_film_stays_even_at_any_aspect_ratio(rows: int, columns: int, grey: float) -> None:
    image = np.full((rows, columns), grey, dtype=np.float32)

    squeezed = resize_to_square(image, 64)

    assert squeezed.shape == (64, 64)
    assert squeezed.dtype == np.float32
    np.testing.assert_allclose(squeezed, grey, atol=1e-6)


@given(rows=sides, columns=sides, seed=st.integers(0, 99))
def test_grey_values_stay_between_black_and_white(rows: int, columns: int, seed: int) -> None:
    image = np.random.default_rng(seed).random((rows, columns), dtype=np.float32)

    squeezed = resize_to_square(image, 48)

    assert squeezed.min() >= image.min() - 1e-6
    assert squeezed.max() <= image.max() + 1e-6


@pytest.mark.parametrize("shape", [(400, 900), (900, 400), (224, 224), (150, 150)])
def test_a_place_keeps_its_fraction_of_the_film(shape: tuple[int, int]) -> None:
    rows, columns = shape
    image = np.zeros(shape, dtype=np.float32)
    image[int(rows * 0.25) - 8 : int(rows * 0.25) + 8, int(columns * 0.7) - 8 :][:, :16] = 1.0

    squeezed = resize_to_square(image, 224)

    peak_row, peak_column = np.unravel_index(squeezed.argmax(), squeezed.shape)
    assert abs(peak_row / 224 - 0.25) < 0.06
    assert abs(peak_column / 224 - 0.7) < 0.06


def test_a_film_of_the_right_size_is_left_alone() -> None:
    image = np.random.default_rng(0).random((224, 224), dtype=np.float32)

    assert resize_to_square(image, 224) is image


def test_input_is_normalised_by_the_specification() -> None:
    image = np.full((80, 60), 0.7, dtype=np.float32)

    normal = to_input(image, InputSpec(size=32, mean=0.5, standard_deviation=0.2))

    np.testing.assert_allclose(normal, 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "deviation"),
    [
        (8, 0.2),  # too small to see anything
        (224, 0.0),  # divides by nothing
        (224, float("nan")),
    ],
)
def test_an_impossible_specification_is_refused(size: int, deviation: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        InputSpec(size=size, mean=0.5, standard_deviation=deviation)
