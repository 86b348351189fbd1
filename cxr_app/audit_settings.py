"""Settings of audit and monitoring."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from cxr_app.written_settings import WrittenSettings

TLS_SYSLOG_PORT = 6514
"""RFC 5425, section 4.1."""


class AuditSettings(WrittenSettings):
    """Where audit and log are kept, what the audit names, and who reads the figures."""

    metrics_token: str = Field(
        default="",
        repr=False,
        description="Token that monitoring must show at `/metrics` as `Authorization: Bearer ...`; "
        "if empty, there are no figures.",
    )
    log_file: Path | None = Field(
        default=None,
        description="File that the log of the server and of its processes is written to as "
        "lines of JSON, besides standard error; rotated at 10 MB, ten are kept; unset: none.",
    )

    audit_dir: Path | None = Field(
        default=None,
        description="Folder of the audit; unset: `audit` in the data folder.",
    )
    audit_patient_ids: bool = Field(
        default=False,
        description="Whether the audit records Patient IDs themselves, besides keyed hashes of "
        "them. They stay there after the film's retention time.",
    )
    audit_syslog: str = Field(
        default="",
        description="Syslog server that the audit is sent to over TLS: `HOST` or `HOST:PORT` "
        "(6514); if empty, none.",
    )
    audit_syslog_authority: Path | None = Field(
        default=None,
        description="PEM file of the authority of the syslog server's certificate; unset: those "
        "that the system trusts.",
    )
    audit_syslog_certificate: Path | None = Field(
        default=None,
        description="PEM file of this server's own certificate and key for the syslog server; "
        "unset: none is shown.",
    )

    @field_validator("audit_syslog")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        try:
            host, port = _server(value)
        except ValueError:
            host, port = "", 0
        if value and not (host and 0 < port < 2**16):
            raise PydanticCustomError("server", "it must be HOST or HOST:PORT")
        return value

    @property
    def syslog_server(self) -> tuple[str, int] | None:
        """Host and port of the syslog server; None if there is none."""
        return _server(self.audit_syslog) if self.audit_syslog else None


def _server(written: str) -> tuple[str, int]:
    host, colon, port = written.rpartition(":")
    return (host.strip("[]"), int(port)) if colon else (written, TLS_SYSLOG_PORT)
