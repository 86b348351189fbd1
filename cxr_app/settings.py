"""The one place that reads the environment: every setting is ``CXR_*`` and has a default."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cxr_app.errors import SettingsError

OtherAges = Literal["remark", "reject"]
HeatTiming = Literal["at_once", "after_verdict"]

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """How this installation runs; built once at a door and handed down."""

    model_config = SettingsConfigDict(env_prefix="CXR_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=PROJECT / "data",
        description="Where uploaded films and the SQLite worklist are kept.",
    )
    database_url: str = Field(
        default="",
        description="The worklist's database: `postgresql+psycopg://...`, "
        "or empty for SQLite in the data folder.",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto",
        description="Where the network runs; `auto` takes CUDA, else MPS, else the CPU.",
    )
    runtime: Literal["torch", "openvino"] = Field(
        default="torch",
        description="What computes the network on a CPU; `openvino` is faster and optional: "
        "`pip install -r requirements-openvino.txt`.",
    )
    checkpoint: Path = Field(
        default=PROJECT / "weights" / "pneumonia.safetensors",
        description="The checkpoint in use.",
    )
    waiting_cap_hours: float = Field(
        default=72.0,
        gt=0,
        description="A film that has waited this many hours rises to the top of the list "
        "whatever its probability.",
    )
    other_ages: OtherAges = Field(
        default="remark",
        description="What becomes of a film whose header says that the patient is not of the ages "
        "the model learned from: scored with a `remark`, or `reject`.",
    )
    heat: HeatTiming = Field(
        default="at_once",
        description="When a reader sees the heatmap: `at_once`, or `after_verdict`, the reader's "
        "own, since readers follow wrong marks.",
    )
    mask_identities: bool = Field(
        default=False,
        description="Whether every window opens with names and ids masked.",
    )
    reader_header: str = Field(
        default="",
        description="The HTTP header in which a proxy says who reads, for example "
        "`X-Forwarded-User`; empty: readers type their names.",
    )
    backlog_folders: str = Field(
        default="",
        description="Folders of the server whose films the Backlog page may score, whole paths "
        "with `:` between them; empty for none.",
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="So many days after an uploaded film was read it is deleted, and what names "
        "its patient with it; its scores and reviews stay. `0` keeps films for ever.",
    )
    training_folders: str = Field(
        default="",
        description="Folders of the server whose films the Retrain page may train on, whole paths "
        "with `:` between them; empty for none but the reviewed films of the worklist.",
    )

    debug: bool = Field(
        default=False,
        description="Developer's mode: logs and pages show errors with their whole message, "
        "which may quote patient data.",
    )

    @field_validator("retention_days", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return 0 if value == "" else value

    @field_validator("backlog_folders", "training_folders")
    @classmethod
    def _are_whole_paths(cls, value: str) -> str:
        if any(not Path(each).is_absolute() for each in _split(value)):
            raise PydanticCustomError("whole_paths", "every folder must be a whole path")
        return value

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Read the environment; `overrides` win.

        Raises
        ------
        SettingsError
            If a value is impossible; the message names the variable, its value and what is allowed.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            first = error.errors()[0]
            name = "CXR_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name} is {first['input']!r}: {first['msg']}.") from error

    @property
    def worklist_url(self) -> str:
        """The SQLAlchemy URL of the worklist."""
        return self.database_url or f"sqlite:///{self.data_dir / 'worklist.sqlite'}"

    @property
    def backlog_roots(self) -> tuple[Path, ...]:
        """The folders that the Backlog page may score, with all that is below them."""
        return tuple(Path(each) for each in _split(self.backlog_folders))

    @property
    def training_roots(self) -> tuple[Path, ...]:
        """The folders that the Retrain page may train on, with all that is below them."""
        return tuple(Path(each) for each in _split(self.training_folders))

    @property
    def models_dir(self) -> Path:
        """Where checkpoints are kept that were put to use from the Retrain page."""
        return self.data_dir / "models"

    @property
    def recipes_dir(self) -> Path:
        """Where a site keeps recipes of its own."""
        return self.data_dir / "recipes"

    @property
    def jobs_dir(self) -> Path:
        """Where jobs keep their results, progress and logs."""
        return self.data_dir / "jobs"

    @property
    def films_dir(self) -> Path:
        """Where uploaded films are kept as received."""
        return self.data_dir / "films"

    @property
    def cache_dir(self) -> Path:
        """Where training keeps what it has decoded; a file there may go at any time."""
        return self.data_dir / "cache"


def current_settings() -> Settings:
    """Read the environment, unless it is as it was: a page asks dozens of times in a drawing.

    Raises
    ------
    SettingsError
        As `Settings.read`.
    """
    own = ((name, value) for name, value in os.environ.items() if name.upper().startswith("CXR_"))
    return _read(frozenset(own))


@lru_cache(maxsize=1)
def _read(_environment: frozenset[tuple[str, str]]) -> Settings:
    return Settings.read()


def _split(folders: str) -> list[str]:
    return [each for each in folders.split(os.pathsep) if each]
