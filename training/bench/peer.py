"""TorchXRayVision as its users score a folder: a yardstick of another make.

Run as a script, with PyTorch and TorchXRayVision at hand, it scores the files that it is given by
one process a core with one thread: read, crop to a square, resize to 224 pixels, and DenseNet-121
with random weights. There is no heatmap, no screening and no list. It imports nothing of this
program.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

PACKAGES = (
    "torchxrayvision==1.5.7",
    "scikit-image==0.26.0",
    "imageio==2.38.1",
    "tifffile==2026.3.3",
    "lazy-loader==0.6",
)
"""What it needs beside what this program requires; Apache 2.0 and BSD."""


def install_peer(folder: Path) -> bool:
    """Install TorchXRayVision into a folder, and return whether that worked."""
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run(  # noqa: S603 - our own words
        [*words, str(folder), *PACKAGES], capture_output=True, check=False
    )
    return done.returncode == 0


def peer_command(
    packages: Path, films: Sequence[Path], processes: int
) -> tuple[list[str], Path, dict[str, str]]:
    """Return the command that scores films, its folder, and what it needs in its environment.

    Parameters
    ----------
    packages
        Where `install_peer` installed them.
    films
        JPEG files of one folder.
    processes
        One a core.
    """
    folder = films[0].parent
    words = [sys.executable, __file__, str(processes), *(film.name for film in films)]
    path = os.pathsep.join(filter(None, (str(packages), os.environ.get("PYTHONPATH", ""))))
    return words, folder, {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def main(processes: int, paths: Sequence[str]) -> int:
    """Divide films among processes, and return the highest exit status of these."""
    running = [
        subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, __file__, "0", *paths[number::processes]]
        )
        for number in range(processes)
    ]
    return max(each.wait() for each in running)


def score_films(paths: Sequence[str]) -> int:
    """Score films one after the other."""
    torch, xrv, io = map(import_module, ("torch", "torchxrayvision", "skimage.io"))
    transforms = import_module("torchvision.transforms")
    torch.set_num_threads(1)
    network = xrv.models.DenseNet(weights=None).eval()
    shape = transforms.Compose([xrv.datasets.XRayCenterCrop(), xrv.datasets.XRayResizer(224)])
    for path in paths:
        film = xrv.datasets.normalize(io.imread(path), 255)
        prepared = shape((film.mean(2) if film.ndim == 3 else film)[None])
        with torch.no_grad():
            network(torch.from_numpy(prepared)[None])
    return 0


if __name__ == "__main__":
    count = int(sys.argv[1])
    sys.exit(main(count, sys.argv[2:]) if count else score_films(sys.argv[2:]))
