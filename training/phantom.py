"""Draw chest films that show nobody: to try the app with.

python -m training.phantom FOLDER [--films 12] [--seed 1]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from training.drawing.phantom_films import draw_phantom, opacities_of


def main(arguments: list[str] | None = None) -> int:
    """Write PNG films into a folder, clear ones and others in turn."""
    parser = argparse.ArgumentParser(prog="python -m training.phantom", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="made where it is not there")
    parser.add_argument("--films", type=int, default=12, help="how many; default: 12")
    parser.add_argument("--seed", type=int, default=1, help="of the first; default: 1")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seed, options.seed + options.films):
        film = draw_phantom(seed, opacities=opacities_of(seed))
        picture = PillowImage.fromarray(np.round(film * 255).astype(np.uint8))
        picture.save(options.folder / f"phantom-{seed:03}.png")
    print(f"{options.films} films drawn in {options.folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
