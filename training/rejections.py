"""Count what the app refuses of chest films and of other pictures, by kind.

    python -m training.rejections --data DIR [--films DIR] [--others DIR] [--most 150]

The folders are those of `training.train_screening`, and so is who learned: only pictures are taken
from which the checkpoint's networks have not. Each goes the way of any file, from its bytes to
what became of it; a chest film also turned, mirrored and with its greys inverted, and other
pictures also in grey, as PNG.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from cxr_app import log_privacy
from cxr_app.errors import CxrError, TrainingDataError
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model.classifier import Classifier
from cxr_app.model.screening import ViewClass, remark_on
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from training.data.dataset import Films, find_films
from training.data.splits import Indices, own_split
from training.measure.predictions import in_batches
from training.train_screening import add_sources, picture_folders, split_films, split_others
from training.view_network.view_report import MIRRORED, WRONG_VIEWS, share_with_interval

Pictures = dict[str, list[Path]]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data or usage that cannot be used."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        settings = Settings.read()
        checkpoint = options.checkpoint or settings.checkpoint
        scorer = Scorer(Classifier.load(checkpoint, settings.device), settings.other_ages)
        films, others = _chosen(options, scorer, settings.cache_dir)
        print("| pictures | n | refused or noticed | 95 % interval | most are told |")
        print("|---|---|---|---|---|")
        for row in rows(scorer, films, others):
            print(f"| {' | '.join(row)} |", flush=True)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.rejections",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    parser.add_argument("--most", type=int, default=150, help="pictures of a kind; default: 150")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    return parser


def _chosen(options: argparse.Namespace, scorer: Scorer, cache: Path) -> tuple[Pictures, Pictures]:
    """Choose chest films and other pictures that nothing was learned from or chosen on."""
    labelled = find_films(options.data)
    parts = own_split(labelled, scorer.classifier.description, cache)
    if parts is None:
        raise TrainingDataError(
            f"{options.data} does not hold the films that the checkpoint was trained from, so "
            "nobody knows which of them it has not learned from. Give that folder."
        )
    kept_back = [labelled[index].path for index in parts.validation]
    films = {options.data.name: _some(kept_back, options.most)}
    if options.films:
        films |= _folders(options.films, options.most, lambda count: split_films(count)[2])
    others = {}
    if options.others:
        others = _folders(options.others, options.most, lambda count: split_others(count)[1])
    return films, others


def _folders(root: Path, most: int, kept_back: Callable[[int], Indices]) -> Pictures:
    """List some of the pictures of each folder below `root` that are kept back."""
    return {
        folder: _some([paths[index] for index in kept_back(len(paths))], most)
        for folder, paths in picture_folders(root)
    }


def _some(paths: Sequence[Path], most: int) -> list[Path]:
    """Take so many, evenly."""
    return list(paths[:: -(-len(paths) // most)]) if paths else []


def rows(scorer: Scorer, films: Pictures, others: Pictures) -> Iterator[tuple[str, ...]]:
    """Send pictures through the app, and say of each kind how many it refuses or notices."""
    for name, paths in films.items():
        yield _row(name, _outcomes(scorer, (path.read_bytes() for path in paths)))
        for laid, change in WRONG_VIEWS.items():
            files = (_as_png(change(_grey(path))) for path in paths)
            noticed = _is_remarked if laid == MIRRORED else _is_refused
            yield _row(f"{name}, {laid}", _outcomes(scorer, files), noticed)
    for name, paths in others.items():
        yield _row(name, _outcomes(scorer, (path.read_bytes() for path in paths)))
        files = (_as_png(_grey(path)) for path in paths)
        yield _row(f"{name}, in grey", _outcomes(scorer, files))


def _outcomes(scorer: Scorer, files: Iterable[bytes]) -> list[Outcome]:
    batches = in_batches(map(scorer.examine, files))
    return [outcome for batch in batches for outcome in scorer.score_all(batch)]


def _grey(path: Path) -> Films:
    """Read a picture as grey values of 8 bits."""
    return np.rint(255 * read_radiograph(path.read_bytes()).image).astype(np.uint8)


def _as_png(film: Films) -> bytes:
    file = BytesIO()
    PillowImage.fromarray(film).save(file, "PNG")
    return file.getvalue()


def _is_refused(outcome: Outcome) -> bool:
    return outcome.state is not ScoringState.SCORED


def _is_remarked(outcome: Outcome) -> bool:
    return remark_on(ViewClass.MIRRORED) in outcome.remarks


def _row(
    name: str, outcomes: list[Outcome], noticed: Callable[[Outcome], bool] = _is_refused
) -> tuple[str, ...]:
    """Say how many were noticed, how sure that is, and what most of those are told."""
    found = [outcome for outcome in outcomes if noticed(outcome)]
    if not outcomes:
        return name, "0", "", "", ""
    counted = share_with_interval(np.array([noticed(outcome) for outcome in outcomes]))
    low, high = counted["ci95"]
    told = Counter(outcome.reason or outcome.remarks[0] for outcome in found).most_common(1)
    words = f"{told[0][0]} ({told[0][1]})" if told else ""
    return name, str(counted["n"]), f"{counted['share']:.3f}", f"{low:.3f} to {high:.3f}", words


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
