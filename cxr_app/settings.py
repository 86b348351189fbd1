"""Settings, read from environment variables ``CXR_*``; each has a default."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from cxr_app.access_settings import AccessSettings, Network, items, networks
from cxr_app.ae_title import AE_TITLE_RULE, is_ae_title
from cxr_app.archive_login import parse_logins
from cxr_app.audit_settings import AuditSettings
from cxr_app.destination import Destination, parse_destinations
from cxr_app.drift_alarms import AlarmLines, parse_alarm_lines
from cxr_app.errors import SettingsError
from cxr_app.patient_age import OtherAges
from cxr_app.second_reading_rule import SecondReadingRule, parse_second_reading

HeatStyle = Literal["outline", "colour"]
HeatTiming = Literal["at_once", "after_verdict"]

LONGEST_HOURS = 876_000
"""A hundred years: a moment so long ago is still a date."""

PROJECT = Path(__file__).resolve().parent.parent


class Settings(AccessSettings, AuditSettings):
    """Settings of this installation, built once by the app or a command and passed on."""

    model_config = SettingsConfigDict(env_prefix="CXR_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=PROJECT / "data",
        description="Folder of the uploaded films and of the SQLite worklist.",
    )
    database_url: str = Field(
        default="",
        description="Database of the worklist: `postgresql+psycopg://...`, "
        "or empty for SQLite in the data folder.",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto",
        description="Device of the network; `auto` uses CUDA, else MPS, else the CPU.",
    )
    runtime: Literal["auto", "torch", "openvino"] = Field(
        default="auto",
        description="Library that runs the network on a CPU: `torch`, `openvino`, which is nearly "
        "twice as fast, or `auto`: OpenVINO if it can run the network.",
    )
    checkpoint: Path = Field(
        default=PROJECT / "weights" / "pneumonia.safetensors",
        description="The checkpoint in use.",
    )
    waiting_cap_hours: float = Field(
        default=72.0,
        gt=0,
        le=LONGEST_HOURS,
        allow_inf_nan=False,
        description="Hours after which a waiting film moves to the top of the list, "
        "whatever its probability.",
    )
    other_ages: OtherAges = Field(
        default="remark",
        description="Films of patients outside the ages of the training films, by the header: "
        "`remark` scores them with a remark, `reject` rejects them.",
    )
    prevalence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the site's films that show pneumonia, between 0 and 1, for which "
        "probabilities are shown; the same films are flagged. Unset: the share that the model was "
        "calibrated for. Scores made for another share are kept as another model version.",
    )
    heat: HeatTiming = Field(
        default="at_once",
        description="When a reader sees the heatmap: `at_once`, or `after_verdict`, that is after "
        "the reader's own, because wrong marks mislead readers.",
    )
    heat_style: HeatStyle = Field(
        default="outline",
        description="How the heatmap opens for a reader who has not chosen otherwise: `outline`, "
        "or `colour`, which covers the film.",
    )
    second_reading: str = Field(
        default="",
        description="Films that a second reader reads without seeing the first verdict: `flagged` "
        "for all flagged films, `share=` and a number up to 1 for a share of all films, drawn by "
        "a keyed hash, `asked` for those that a reader asks for (always included), several "
        "separated by commas, as in `flagged, share=0.05`; empty for none.",
    )
    drift_alarms: str = Field(
        default="psi=0.25",
        description="Lines of the Drift page beyond which it warns, separated by commas: "
        "`flagged`, `refused`, `psi`, `ks` (upper limits), `agreement`, `sensitivity`, "
        "`specificity` (lower limits), each with `=` and a number, as in "
        "`psi=0.25, refused=0.2, sensitivity=0.9`; empty for none.",
    )
    mask_identities: bool = Field(
        default=False,
        description="Whether names and ids are masked when a window opens.",
    )
    backlog_folders: str = Field(
        default="",
        description="Folders of the server that the Backlog page may score: absolute paths "
        "separated by `:`; empty for none.",
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Days after reading until an uploaded film and the identity of its patient are "
        "deleted; scores and reviews are kept. `0` keeps films forever.",
    )
    retention_share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Largest share of the films kept that one hour's sweep deletes at the end of "
        "their retention time; the others wait for the next.",
    )
    training_folders: str = Field(
        default="",
        description="Folders of the server that the Retrain page may train on: absolute paths "
        "separated by `:`; if empty, only reviewed films of the worklist.",
    )
    dicom_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port on which films are received by C-STORE, for example `11112`; unset: none "
        "are.",
    )
    ae_title: str = Field(
        default="CXR",
        description="AE title of this program, by which it is called and calls archives: at most "
        "16 characters, no backslash.",
    )
    dicom_host: str = Field(
        default="127.0.0.1",
        description="Address on which films are received; `0.0.0.0` for every network of the "
        "server.",
    )
    dicom_callers: str = Field(
        default="",
        description="AE titles that may send films, separated by commas; if empty, any.",
    )
    dicom_addresses: str = Field(
        default="",
        description="Addresses that may send films: IP addresses or networks such as "
        "`10.1.0.0/16`, separated by commas; if empty, any that reach the port.",
    )
    dicom_certificate: Path | None = Field(
        default=None,
        description="PEM file of the receiver's TLS certificate, with the chain; unset: films "
        "travel unencrypted.",
    )
    dicom_key: Path | None = Field(
        default=None,
        description="PEM file of that certificate's private key, without a password; unset: it is "
        "in the file of the certificate.",
    )
    dicom_client_authority: Path | None = Field(
        default=None,
        description="PEM file of the authority whose certificates senders must show; unset: "
        "senders need none.",
    )
    dicomweb_token: str = Field(
        default="",
        repr=False,
        description="Token that senders by STOW-RS (`POST /dicom-web/studies`) must show as "
        "`Authorization: Bearer ...`; if empty, nothing is received there.",
    )

    films_from: str = Field(
        default="",
        description="Archive that films are fetched from: `TITLE@HOST:PORT` (C-FIND, C-GET) or "
        "`https://HOST/PATH` (QIDO-RS, WADO-RS); empty for none.",
    )
    films_by_move: bool = Field(
        default=False,
        description="Whether earlier films are fetched by C-MOVE to the receiver; without it, only "
        "from an archive that does not offer C-GET.",
    )
    prefetch: bool = Field(
        default=False,
        description="Whether earlier films of the patients of flagged films are fetched from the "
        "archive of `CXR_FILMS_FROM` before a reader asks.",
    )
    results_to: str = Field(
        default="",
        description="Archives that results are sent to: `TITLE@HOST:PORT` (C-STORE) or "
        "`https://HOST/PATH` (STOW-RS), several separated by commas, each with "
        "`=sr+sc+pr+pm+reading` behind it if it gets other objects than report and picture "
        "(`sr+sc`). Results of films scored from then on are sent; empty for none.",
    )
    results_logins: str = Field(
        default="",
        repr=False,
        description="Logins of DICOMweb archives: `HOST=TOKEN` or `HOST=USER:PASSWORD`, the host "
        "with its port as in the address, several separated by spaces; empty for none.",
    )
    results_after_reading: bool = Field(
        default=False,
        description="Whether a film's results are sent only once a person has read the film.",
    )
    results_give_up_hours: float = Field(
        default=72.0,
        gt=0,
        le=LONGEST_HOURS,
        allow_inf_nan=False,
        description="Hours for which an archive refuses a result, or cannot be reached, before it "
        "is given up, until a person retries it; while the server is off, results only wait.",
    )

    debug: bool = Field(
        default=False,
        description="Developer's mode: logs and pages show errors with their whole message, "
        "which may quote patient data.",
    )

    @field_validator("ae_title", "dicom_callers")
    @classmethod
    def _are_ae_titles(cls, value: str, info: ValidationInfo) -> str:
        titles = items(value) if info.field_name == "dicom_callers" else [value]
        if not all(map(is_ae_title, titles)):
            raise PydanticCustomError("ae_titles", AE_TITLE_RULE)
        return value

    @field_validator("backlog_folders", "training_folders")
    @classmethod
    def _are_absolute_paths(cls, value: str) -> str:
        folders = _split(value)
        if value and not (folders and all(Path(each).is_absolute() for each in folders)):
            raise PydanticCustomError("absolute_paths", "every folder must be an absolute path")
        return value

    @field_validator("drift_alarms")
    @classmethod
    def _are_alarm_lines(cls, value: str) -> str:
        try:
            parse_alarm_lines(value)
        except ValueError as error:
            raise PydanticCustomError("alarm_lines", "{why}", {"why": str(error)}) from None
        return value

    @field_validator("second_reading")
    @classmethod
    def _is_second_reading(cls, value: str) -> str:
        try:
            parse_second_reading(value)
        except ValueError as error:
            raise PydanticCustomError("second_reading", "{why}", {"why": str(error)}) from None
        return value

    @field_validator("results_to", "films_from")
    @classmethod
    def _are_archives(cls, value: str, info: ValidationInfo) -> str:
        try:
            found = parse_destinations(value)
        except ValueError as error:
            raise PydanticCustomError("archives", "{why}", {"why": str(error)}) from None
        if info.field_name == "films_from" and (len(found) > 1 or "=" in value):
            raise PydanticCustomError(
                "archives", "expected one archive as TITLE@HOST:PORT or https://HOST/PATH"
            )
        return value

    @field_validator("results_logins")
    @classmethod
    def _are_logins(cls, value: str) -> str:
        try:
            parse_logins(value)
        except ValueError as error:
            raise PydanticCustomError("logins", "{why}", {"why": str(error)}) from None
        return value

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Read the environment; `overrides` take precedence.

        Raises
        ------
        SettingsError
            If a value is not allowed; the message names variable, value and what is allowed.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            first = error.errors()[0]
            field = "_".join(str(part) for part in first["loc"])
            is_secret = field in cls.model_fields and not cls.model_fields[field].repr
            value = "not allowed" if is_secret else repr(first["input"])
            raise SettingsError(f"CXR_{field.upper()} is {value}: {first['msg']}.") from (
                None if is_secret else error
            )

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Archives that results are sent to."""
        return parse_destinations(self.results_to)

    @property
    def archive_logins(self) -> dict[str, str]:
        """Authorization header of each DICOMweb archive, by host."""
        return parse_logins(self.results_logins)

    @property
    def alarm_lines(self) -> AlarmLines:
        """Lines beyond which the Drift page warns."""
        return parse_alarm_lines(self.drift_alarms)

    @property
    def second_reading_rule(self) -> SecondReadingRule:
        """Which films are read by a second reader."""
        return parse_second_reading(self.second_reading)

    @property
    def film_archive(self) -> Destination | None:
        """Archive that films are fetched from."""
        return next(iter(parse_destinations(self.films_from)), None)

    @property
    def worklist_url(self) -> str:
        """SQLAlchemy URL of the worklist."""
        return self.database_url or f"sqlite:///{self.data_dir / 'worklist.sqlite'}"

    @property
    def backlog_roots(self) -> tuple[Path, ...]:
        """Folders that the Backlog page may score, including their subfolders."""
        return tuple(Path(each) for each in _split(self.backlog_folders))

    @property
    def training_roots(self) -> tuple[Path, ...]:
        """Folders that the Retrain page may train on, including their subfolders."""
        return tuple(Path(each) for each in _split(self.training_folders))

    @property
    def caller_titles(self) -> frozenset[str]:
        """AE titles that may send films; empty for any."""
        return frozenset(items(self.dicom_callers))

    @property
    def caller_networks(self) -> tuple[Network, ...]:
        """Networks that may send films; empty for any."""
        return networks(self.dicom_addresses)

    @property
    def models_dir(self) -> Path:
        """Folder of the checkpoints promoted on the Retrain page."""
        return self.data_dir / "models"

    @property
    def recipes_dir(self) -> Path:
        """Folder of the site's own recipes."""
        return self.data_dir / "recipes"

    @property
    def jobs_dir(self) -> Path:
        """Folder of the results, progress and logs of jobs."""
        return self.data_dir / "jobs"

    @property
    def films_dir(self) -> Path:
        """Folder of the uploaded films, stored as received."""
        return self.data_dir / "films"

    @property
    def incoming_dir(self) -> Path:
        """Folder of files that are being uploaded."""
        return self.data_dir / "incoming"

    @property
    def audit_folder(self) -> Path:
        """Folder of the audit and of its key."""
        return self.audit_dir or self.data_dir / "audit"

    @property
    def cache_dir(self) -> Path:
        """Folder of films decoded for training; its files may be deleted at any time."""
        return self.data_dir / "cache"


def _split(folders: str) -> list[str]:
    return [each for each in folders.split(os.pathsep) if each]
