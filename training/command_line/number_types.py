"""Types of options that are numbers within limits, for `argparse`."""

import argparse
from collections.abc import Callable


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Build a reader of whole numbers from `lowest` to `highest`."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{number} is not between {lowest} and {highest}")
        return number

    return whole_number


def share(text: str) -> float:
    """Read a share between 0 and 1, both excluded."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value
