"""What a recipe file may hold; a wrong value is refused by name when the file is read.

Knows no network: that the architecture exists is checked in `recipe_list`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from cxr_app.errors import SettingsError

Parsed = TypeVar("Parsed")
Schedule = Literal["one_cycle", "constant"]
Initialisation = Literal["random", "imagenet"]

# Strict: TOML has numbers of its own, so that a text or a boolean in their place is an error.
Text = Annotated[str, Field(strict=True, min_length=1)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
ShareBelowOne = Annotated[float, Field(strict=True, ge=0, lt=1)]
Count = Annotated[int, Field(strict=True, ge=1)]
CountOrNone = Annotated[int, Field(strict=True, ge=0)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
"""Range that NumPy and scikit-learn accept."""

_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, config=_EXACT)
class Stage:
    """Epochs at one film size (progressive resizing, Howard 2018).

    Parameters
    ----------
    size
        Side of the films, in pixels.
    epochs
        How often each film is shown.
    further_films
        Films of each class from elsewhere that an epoch shows as well, if the run has any.
    architecture
        Which member of a joined network it trains; empty if there is one network.
    """

    size: Count
    epochs: Count
    further_films: CountOrNone = 0
    architecture: Annotated[str, Field(strict=True)] = ""


@dataclass(frozen=True, slots=True, config=_EXACT)
class AugmentationRanges:
    """How far each property of a training film may vary; 0 leaves it unchanged.

    Parameters
    ----------
    rotation_degrees, shear_degrees
        In either direction.
    scale, aspect, translation
        As fractions: 0.15 is up to 15 % larger or smaller, wider or narrower, to one side.
    flip
        Share of films mirrored left to right.
    gamma, contrast, brightness
        Of the exposure: exponent ``exp(±gamma)``, slope ``1 ± contrast``, shift ``± brightness``.
    sharpness
        From blurred (-) to sharpened (+) by this multiple of the difference to a blurred film.
    noise
        Largest standard deviation of grey values in ``[0, 1]``.
    erase
        Share of films that lose a rectangle of up to a third of each side.
    border
        Share of films that lose a border of up to an eighth of each side: in this data the border
        alone reveals much about the class and the hospital.
    """

    rotation_degrees: NotNegative = 12.0
    shear_degrees: Annotated[float, Field(strict=True, ge=0, lt=90)] = 6.0
    scale: NotNegative = 0.15
    aspect: NotNegative = 0.15
    translation: NotNegative = 0.06
    flip: Share = 0.5
    gamma: NotNegative = 0.4
    contrast: NotNegative = 0.25
    brightness: NotNegative = 0.1
    sharpness: NotNegative = 1.0
    noise: NotNegative = 0.04
    erase: Share = 0.5
    border: Share = 0.0


@dataclass(frozen=True, slots=True, config=_EXACT)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    name
        Of the recipe, and of the checkpoints it makes.
    architecture
        A name that `networks.build` knows.
    stages
        Sizes and epochs, in order; the last size is the one that the checkpoint reads films at.
    batch_size, learning_rate, weight_decay
        Of AdamW, which without decay is Adam; the learning rate is the peak of the schedule.
    label_smoothing
        Share of a target given to the other classes.
    average_decay
        Share of the running average of the weights that is kept at each step; 0 for no average.
    patience
        Epochs without a lower loss on the tune films after which training stops.
    seed
        Decides the split, the first weights, the order and the augmentation.
    schedule
        ``one_cycle``: up and down again over the whole run; ``constant``.
    normal_weight
        Weight of a normal film in the loss; a film with pneumonia has weight 1.
    initialisation
        The first weights: ``random``, or ``imagenet`` if the network knows them.
    """

    name: Text
    architecture: Text
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    batch_size: Count = 32
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.05
    label_smoothing: ShareBelowOne = 0.05
    average_decay: ShareBelowOne = 0.99
    patience: CountOrNone = 8
    seed: Seed = 0
    schedule: Schedule = "one_cycle"
    normal_weight: Positive = 1.0
    initialisation: Initialisation = "random"
    augmentation: AugmentationRanges = Field(default_factory=AugmentationRanges)

    @property
    def size(self) -> int:
        """Side of the films that the finished network reads."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def members(self) -> tuple["Recipe", ...]:
        """Recipes of the networks that are trained separately, in the order of stages."""
        stages: dict[str, list[Stage]] = {}
        for stage in self.stages:
            stages.setdefault(stage.architecture or self.architecture, []).append(stage)
        return tuple(
            replace(self, architecture=name, stages=tuple(own)) for name, own in stages.items()
        )

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage that an epoch, counted from 0, belongs to."""
        return [stage for stage in self.stages for _ in range(stage.epochs)][epoch]

    def as_document(self) -> dict[str, Any]:
        """Return the recipe in plain types, as the checkpoint stores it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, config=_EXACT)
class RecipeCost:
    """What a training costs on a CPU, as `training.bench.recipe_cost` measures it.

    Parameters
    ----------
    core_seconds
        For each film, in all epochs together.
    memory_mib
        Of the process, at its peak.
    """

    core_seconds: Positive
    memory_mib: Count


@dataclass(frozen=True, slots=True, config=_EXACT)
class RecipeNotes:
    """What a recipe file says of itself; no part of the training.

    Parameters
    ----------
    purpose
        What it is for, in a sentence.
    cost
        None if nobody has measured it.
    published
        Figures that the author of its network reported.
    """

    purpose: Annotated[str, Field(strict=True)] = ""
    cost: RecipeCost | None = None
    published: Mapping[str, float] = Field(default_factory=dict)


_RECIPE = TypeAdapter(Recipe)
_NOTES = TypeAdapter(RecipeNotes)
_NOTED = frozenset(each.name for each in fields(RecipeNotes))


def parse_recipe(text: str, file_name: str, **overrides: Any) -> Recipe:
    """Parse the text of a recipe file; without a key ``name`` it is named like its file.

    Raises
    ------
    SettingsError
        If it is not TOML, or if it has an unknown key or an impossible value.
    """
    document = {"name": file_name.removesuffix(".toml")} | _document(text, file_name) | overrides
    recipe = {name: value for name, value in document.items() if name not in _NOTED}
    return _validated(_RECIPE, recipe, file_name)


def parse_notes(text: str, file_name: str) -> RecipeNotes:
    """Parse what a recipe file says of itself.

    Raises
    ------
    SettingsError
        If it is not TOML, or if a note has an unknown key or an impossible value.
    """
    document = _document(text, file_name)
    notes = {name: value for name, value in document.items() if name in _NOTED}
    return _validated(_NOTES, notes, file_name)


def _document(text: str, file_name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file_name} is not valid TOML: {error}.") from error


def _validated(adapter: TypeAdapter[Parsed], document: Mapping[str, Any], file_name: str) -> Parsed:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        problems = "; ".join(_sentence(each) for each in error.errors())
        raise SettingsError(f"{file_name} has {problems}.") from error


def _sentence(problem: ErrorDetails) -> str:
    """Describe one problem: key, value found, values allowed."""
    name = ".".join(map(str, problem["loc"]))
    match problem["type"]:
        case "missing":
            return f"no {name}"
        case "unexpected_keyword_argument":
            return f"the unknown key {name}; allowed are {', '.join(_allowed_keys(problem['loc']))}"
        case "literal_error":
            return f"{name} = {problem['input']!r}; allowed are {problem['ctx']['expected']}"
        case _:
            return f"{name} = {problem['input']!r}: {problem['msg']}"


def _allowed_keys(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table that a key was found in."""
    tables: Mapping[int | str, type] = {
        "stages": Stage,
        "augmentation": AugmentationRanges,
        "cost": RecipeCost,
    }
    table = Recipe if len(place) == 1 else tables[place[0]]
    return sorted(each.name for each in fields(table))
