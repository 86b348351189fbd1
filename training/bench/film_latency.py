"""One film at a time, from its bytes to probability and heat, with all threads.

Run as a script in the folder of this program or of an earlier commit of it: ``CHECKPOINT FILM ...``
prints the milliseconds of each film as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any


def main(words: Sequence[str]) -> None:
    """Score each film, and print how long it took."""
    sys.path.insert(0, str(Path.cwd()))
    scorer = import_module("cxr_app.scoring").Scorer(_load()(Path(words[0]), "cpu"))
    contents = [Path(path).read_bytes() for path in words[1:]]
    for content in contents[:3]:
        scorer.score(content)
    taken = []
    for content in contents:
        began = time.perf_counter()
        scorer.score(content)
        taken.append(1000 * (time.perf_counter() - began))
    print(json.dumps(taken))


def _load() -> Callable[..., Any]:
    """Return what loads a checkpoint, by its name now or earlier."""
    for module in ("model.classifier_choice", "model.classifier", "classifier"):
        try:
            found = import_module(f"cxr_app.{module}")
        except ModuleNotFoundError:
            continue
        load: Callable[..., Any] = getattr(found, "load_classifier", None) or found.Classifier.load
        return load
    raise SystemExit("this version of the program has no classifier")


if __name__ == "__main__":
    main(sys.argv[1:])
