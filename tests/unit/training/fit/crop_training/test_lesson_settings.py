"""Cycles cover a run without gaps, and each ends calm."""

from hypothesis import given
from hypothesis import strategies as st

from training.fit.crop_training.lesson_settings import VARIED, LessonSettings


@given(epochs=st.integers(1, 60), restart=st.integers(0, 40))
def test_cycles_cover_every_epoch_once(epochs: int, restart: int) -> None:
    cycles = LessonSettings(restart_epochs=restart).cycles(epochs)
    assert [epoch for cycle in cycles for epoch in cycle] == list(range(epochs))
    assert len(cycles) == (2 if 0 < restart < epochs else 1)


@given(epochs=st.integers(3, 60), restart=st.integers(0, 40), calm=st.integers(0, 3))
def test_only_the_last_epochs_of_a_cycle_vary_films_less(
    epochs: int, restart: int, calm: int
) -> None:
    settings = LessonSettings(restart_epochs=restart, calm_epochs=calm)
    for cycle in settings.cycles(epochs):
        for epoch in cycle:
            is_calm = settings.at(epoch, epochs) != settings
            assert is_calm == (epoch >= cycle.stop - calm)


def test_all_ranges_shrink_alike() -> None:
    settings = LessonSettings()
    calm = settings.at(19, 20)
    for name in VARIED:
        assert getattr(calm, name) == settings.calm * getattr(settings, name)
