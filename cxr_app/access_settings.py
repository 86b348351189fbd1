"""Settings of who reaches the server and what each person may do there."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from cxr_app.permissions import ALL_ROLES, WHO_MAY, Permission, Role
from cxr_app.written_settings import WrittenSettings

SignInWay = Literal["none", "none-on-purpose", "oidc", "proxy"]
Network = IPv4Network | IPv6Network
MINUTES_OF_A_YEAR = 525_600
MOST_PER_MINUTE = 1_000_000
GROUP_SEPARATOR = ";"
"""Between names of groups: a name in a directory (`CN=readers,OU=x`) may have commas."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, 5.6.2


class AccessSettings(WrittenSettings):
    """How people sign in, their roles, and the names of the server."""

    sign_in: SignInWay = Field(
        default="none",
        description="How readers sign in: `none` (the server answers on its own computer only), "
        "`oidc` (OpenID Connect), `proxy` (a proxy names the reader in CXR_READER_HEADER), or "
        "`none-on-purpose`, which lets everybody in who reaches the server.",
    )
    proxy_addresses: str = Field(
        default="127.0.0.1,::1",
        description="Addresses or networks of the proxies that are believed, separated by `,`: who "
        "a reader is, if CXR_SIGN_IN is `proxy`, and from which address a request comes.",
    )
    idle_minutes: int = Field(
        default=30,
        gt=0,
        le=MINUTES_OF_A_YEAR,
        description="Minutes without use after which a reader must sign in again if CXR_SIGN_IN "
        "is `oidc`.",
    )
    sign_ins_per_minute: int = Field(
        default=30,
        ge=0,
        le=MOST_PER_MINUTE,
        description="Sign-ins by OpenID Connect that an address may begin or end in a minute; `0` "
        "for any number.",
    )
    stow_per_minute: int = Field(
        default=600,
        ge=0,
        le=MOST_PER_MINUTE,
        description="Requests by STOW-RS that an address may send in a minute; a request may have "
        "many films. `0` for any number.",
    )
    wrong_tokens_per_minute: int = Field(
        default=10,
        ge=0,
        le=MOST_PER_MINUTE,
        description="Wrong tokens that an address may show in a minute at `/dicom-web` and "
        "`/metrics`; then both answer 429 for a while. `0` for any number.",
    )
    reader_header: str = Field(
        default="",
        description="HTTP header in which a proxy names the reader, for example "
        "`X-Forwarded-User`; if empty, readers type their names.",
    )
    groups_claim: str = Field(
        default="groups",
        description="Claim in which the directory names a person's groups if CXR_SIGN_IN is "
        "`oidc`.",
    )
    groups_header: str = Field(
        default="",
        description="HTTP header in which the proxy names a person's groups if CXR_SIGN_IN is "
        "`proxy`, for example `X-Forwarded-Groups`, separated by `,`, `;` or a bar.",
    )
    reader_groups: str = Field(
        default="",
        description="Groups whose members are readers (list, film, review), separated by `;`. If "
        "no group of any role is named, everybody who signs in has every role.",
    )
    administrator_groups: str = Field(
        default="",
        description="Groups whose members are administrators (backlogs, retention, connections), "
        "separated by `;`.",
    )
    scientist_groups: str = Field(
        default="",
        description="Groups whose members are scientists (model, retraining, promotion), separated "
        "by `;`.",
    )
    auditor_groups: str = Field(
        default="",
        description="Groups whose members are auditors (audit alone), separated by `;`.",
    )
    unmask_roles: str = Field(
        default="reader,administrator",
        description="Roles that may see names and ids unmasked, separated by `,`: `reader`, "
        "`administrator`, or empty for nobody.",
    )
    promotion_by_two: bool = Field(
        default=False,
        description="Whether one person proposes a model and another promotes it; needs "
        "CXR_SIGN_IN `oidc` or `proxy`.",
    )
    allowed_hosts: str = Field(
        default="",
        description="Names under which readers open this server, separated by `,` and without "
        "ports, besides `localhost`, `127.0.0.1` and `[::1]`; a request for any other name is "
        "refused.",
    )

    @field_validator("dicom_addresses", "proxy_addresses", check_fields=False)
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            raise PydanticCustomError(
                "networks", "every item must be an IP address or a network such as 10.1.0.0/16"
            ) from None
        return value

    @field_validator("unmask_roles")
    @classmethod
    def _are_roles_that_see_films(cls, value: str) -> str:
        if not set(items(value)) <= set(WHO_MAY[Permission.UNMASK]):
            raise PydanticCustomError("roles", "only reader and administrator can be named")
        return value

    @field_validator("reader_header", "groups_header")
    @classmethod
    def _are_header_names(cls, value: str) -> str:
        if value and not _HEADER_NAME.fullmatch(value):
            raise PydanticCustomError(
                "header_names", "it must be the name of one HTTP header, such as X-Forwarded-User"
            )
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_host_names(cls, value: str) -> str:
        if any(re.search(r"[^\w.-]", each) for each in items(value)):
            raise PydanticCustomError(
                "host_names", "every host must be a name or address, without scheme, port or `*`"
            )
        return value

    @property
    def host_names(self) -> tuple[str, ...]:
        """Names of this server besides those of the loopback address, in lower case."""
        return tuple(each.lower().rstrip(".") for each in items(self.allowed_hosts))

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Addresses of the proxies that are believed."""
        return networks(self.proxy_addresses)

    @property
    def signs_in(self) -> bool:
        """Whether people sign in, so that their names can be trusted."""
        return self.sign_in in ("oidc", "proxy")

    @property
    def has_roles(self) -> bool:
        """Whether people have different roles."""
        return self.signs_in and any(self._groups_of(role) for role in Role)

    def roles_of(self, groups: Iterable[str]) -> frozenset[Role]:
        """Return the roles of a person who is in these groups of the directory."""
        if not self.has_roles:
            return ALL_ROLES
        held = set(groups)
        return frozenset(role for role in Role if held & self._groups_of(role))

    def who_may(self, permission: Permission) -> frozenset[Role]:
        """Return the roles that may do something at this site."""
        roles = WHO_MAY[permission]
        if permission is Permission.UNMASK:
            return roles & set(items(self.unmask_roles))
        return roles

    def _groups_of(self, role: Role) -> frozenset[str]:
        written = str(getattr(self, f"{role}_groups"))
        return frozenset(filter(None, map(str.strip, written.split(GROUP_SEPARATOR))))


def items(listed: str) -> list[str]:
    """Return the items of a list with commas."""
    return [each.strip() for each in listed.split(",") if each.strip()]


def networks(listed: str) -> tuple[Network, ...]:
    """Return the networks of a list with commas.

    Raises
    ------
    ValueError
        If an item is neither an address nor a network.
    """
    return tuple(ip_network(each) for each in items(listed))
