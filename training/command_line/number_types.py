"""Types of options that are numbers within limits, for `argparse`."""

import argparse
from collections.abc import Callable

HIGHEST_SEED = 2**32 - 1


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Build a reader of whole numbers from `lowest` to `highest`."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{number} is not between {lowest} and {highest}")
        return number

    return whole_number


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """Build a reader of numbers from `lowest` to `highest`; "nan" is none."""

    def number(text: str) -> float:
        value = float(text)
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text} is not between {lowest:g} and {highest:g}")
        return value

    return number


def share(text: str) -> float:
    """Read a share between 0 and 1, both excluded."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
