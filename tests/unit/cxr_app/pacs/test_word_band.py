"""Words above a picture: every letter is there, within the width."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageDraw

from cxr_app.pacs.word_band import font_of, word_band

WORDS = st.text([chr(code) for code in range(33, 127)], min_size=1, max_size=12)


@given(words=st.lists(WORDS, min_size=1, max_size=12), size=st.integers(13, 40))
def test_no_letter_is_beyond_the_width(words: list[str], size: int) -> None:
    band = np.asarray(word_band([" ".join(words)], 26 * size, size))
    assert band.max() > 0
    assert not band[:, -1].any()


@given(words=st.lists(WORDS, min_size=1, max_size=6), size=st.integers(13, 30))
def test_a_line_has_the_ink_of_the_same_words_drawn_at_once(words: list[str], size: int) -> None:
    columns = 80 * size
    band = np.asarray(word_band([" ".join(words)], columns, size), float)
    whole = PillowImage.new("L", (columns, band.shape[0]))
    place = (size // 2, size // 4)
    ImageDraw.Draw(whole).text(place, " ".join(words), fill=255, font=font_of(size))
    drawn = np.asarray(whole, float)[: size // 4 + round(size * 1.35)]
    assert abs(band.sum() - drawn.sum()) <= 0.1 * drawn.sum()


def test_sentences_begin_lines_of_their_own_and_empty_ones_take_no_room() -> None:
    one, two = (word_band(sentences, 400, 20).height for sentences in (["a"], ["a", "", "b"]))
    assert two - one == 27
