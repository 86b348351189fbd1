"""One TOML file a recipe: everything that decides how a network is trained."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from cxr_app.errors import SettingsError
from cxr_app.model import networks
from training.data.augmentation import Augmentation

RECIPES = Path(__file__).resolve().parents[1] / "recipes"

Schedule = Literal["one_cycle", "constant"]
Initialisation = Literal["random", "imagenet"]


@dataclass(frozen=True, slots=True)
class Stage:
    """So many epochs at one size of film (progressive resizing, Howard 2018).

    Parameters
    ----------
    size
        Side of the films.
    epochs
        How often each film is shown.
    further_films
        How many films of each class from elsewhere an epoch shows besides, if the run has any.
    architecture
        Which member of a joined network it trains; empty where there is one network.
    """

    size: int
    epochs: int
    further_films: int = 0
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    name
        Of the recipe, and of the checkpoints it makes.
    architecture
        A name that `network.build` knows.
    stages
        Sizes and epochs, in order; the last size is what the checkpoint reads films at.
    batch_size, learning_rate, weight_decay
        Of AdamW, which without decay is Adam; the learning rate is the peak of the schedule.
    schedule
        ``one_cycle``: up and down again over the whole run; ``constant``.
    normal_weight
        What a normal film counts in the loss, a film with pneumonia counting 1.
    label_smoothing
        Share of a target given to the other classes.
    average_decay
        Of the running average of the weights that is kept (0: none).
    patience
        Epochs without a better loss on the tune films after which training stops.
    seed
        Decides the split, the first weights, the order and the augmentation.
    initialisation
        What the first weights are: ``random``, or ``imagenet`` where the network knows them.
    """

    name: str
    architecture: str
    stages: tuple[Stage, ...]
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    average_decay: float = 0.99
    patience: int = 8
    seed: int = 0
    schedule: Schedule = "one_cycle"
    normal_weight: float = 1.0
    initialisation: Initialisation = "random"
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def size(self) -> int:
        """Side of the films that the finished network reads."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def members(self) -> tuple["Recipe", ...]:
        """The recipes of the networks that are trained by themselves, in the order of stages."""
        stages: dict[str, list[Stage]] = {}
        for stage in self.stages:
            stages.setdefault(stage.architecture or self.architecture, []).append(stage)
        return tuple(
            replace(self, architecture=name, stages=tuple(own)) for name, own in stages.items()
        )

    def stage_at(self, epoch: int) -> Stage:
        """Which stage an epoch, counted from 0, belongs to."""
        return [stage for stage in self.stages for _ in range(stage.epochs)][epoch]

    def as_document(self) -> dict[str, Any]:
        """Put into plain types, as the checkpoint stores it."""
        return asdict(self)


def read_recipe(name: str, **overrides: Any) -> Recipe:
    """Read a recipe by its name or by the path of a TOML file.

    Raises
    ------
    SettingsError
        If there is none of this name, or if it has a key or a word that no recipe has.
    """
    path = _path_of(name)
    document = tomllib.loads(path.read_text(encoding="utf-8")) | overrides
    document.pop("published", None)
    _check_keys(document, Recipe, path.name)
    _check_word(document, "schedule", get_args(Schedule), path.name)
    _check_word(document, "initialisation", get_args(Initialisation), path.name)
    _check_keys(document.get("augmentation", {}), Augmentation, path.name)
    stages = tuple(Stage(**stage) for stage in document.pop("stages", ()))
    if not stages:
        raise SettingsError(f"{path.name} has no stages; give at least one size and its epochs.")
    augmentation = Augmentation(**document.pop("augmentation", {}))
    recipe = Recipe(**({"name": path.stem} | document), stages=stages, augmentation=augmentation)
    _check_members(recipe, path.name)
    return recipe


def published(name: str) -> dict[str, float]:
    """Read what the author of a recipe's network reported; nothing where there is no recipe."""
    try:
        text = _path_of(name).read_text(encoding="utf-8")
    except SettingsError:
        return {}
    figures: dict[str, float] = tomllib.loads(text).get("published", {})
    return figures


def _path_of(name: str) -> Path:
    """Find the file of a recipe."""
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise SettingsError(
            f"There is no recipe {name!r}; there are {known}, or give a .toml file."
        )
    return path


def _check_word(
    document: dict[str, Any], key: str, allowed: tuple[str, ...], file_name: str
) -> None:
    """Refuse a word that nothing would understand."""
    if key in document and document[key] not in allowed:
        raise SettingsError(
            f"{file_name} has {key} = {document[key]!r}; allowed are {', '.join(allowed)}."
        )


def _check_members(recipe: Recipe, file_name: str) -> None:
    """Refuse stages that leave a part of the network untrained, or train another."""
    trained = tuple(member.architecture for member in recipe.members)
    wanted = networks.members(recipe.architecture)
    if trained != wanted:
        raise SettingsError(
            f"The stages of {file_name} train {', '.join(trained)}; {recipe.architecture} is made "
            f"of {', '.join(wanted)}. Say by each stage's key architecture which of them it trains."
        )


def _check_keys(document: dict[str, Any], kind: type, file_name: str) -> None:
    """Refuse a key that would otherwise do nothing."""
    known = {entry.name for entry in fields(kind)}
    unknown = sorted(document.keys() - known)
    if unknown:
        raise SettingsError(
            f"{file_name} has {', '.join(unknown)}; allowed are {', '.join(sorted(known))}."
        )
