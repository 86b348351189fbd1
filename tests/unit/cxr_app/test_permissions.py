"""Who may do what, and what a refusal says."""

import pytest

from cxr_app.permissions import ALL_ROLES, WHO_MAY, Permission, Role, refusal
from cxr_app.settings import Settings

NAMED = {
    "sign_in": "oidc",
    "reader_groups": "CN=readers,OU=x; doctors",
    "administrator_groups": "it",
    "scientist_groups": "science",
    "auditor_groups": "audit",
}


def test_each_page_and_action_has_a_line() -> None:
    assert set(WHO_MAY) == set(Permission)
    assert all(WHO_MAY.values())


def test_an_auditor_may_see_the_audit_alone() -> None:
    held = {each for each, roles in WHO_MAY.items() if Role.AUDITOR in roles}
    assert all("audit" in each for each in held)


def test_groups_become_roles() -> None:
    settings = Settings.model_validate(NAMED)
    assert settings.roles_of(["CN=readers,OU=x", "it"]) == {Role.READER, Role.ADMINISTRATOR}
    assert settings.roles_of(["doctors"]) == {Role.READER}
    assert settings.roles_of(["Science", ""]) == set()


@pytest.mark.parametrize("way", ["none", "none-on-purpose"])
def test_without_sign_in_everybody_has_all_roles(way: str) -> None:
    assert Settings.model_validate(NAMED | {"sign_in": way}).roles_of([]) == ALL_ROLES


def test_without_named_groups_everybody_who_signs_in_has_all_roles() -> None:
    assert Settings(sign_in="oidc").roles_of(["any"]) == ALL_ROLES


def test_one_named_role_leaves_the_others_to_nobody() -> None:
    settings = Settings(sign_in="oidc", reader_groups="doctors")
    assert settings.roles_of(["doctors", "it"]) == {Role.READER}


def test_the_site_says_who_may_unmask() -> None:
    assert Settings(unmask_roles="").who_may(Permission.UNMASK) == set()
    assert Settings(unmask_roles="administrator").who_may(Permission.UNMASK) == {Role.ADMINISTRATOR}
    with pytest.raises(ValueError, match="only reader and administrator"):
        Settings(unmask_roles="auditor")


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_refusal_says_what_is_needed_and_who_can_give_it(
    permission: Permission, role: Role
) -> None:
    sentence = refusal(permission, {role}, WHO_MAY[permission])
    assert f"You may not {permission}" in sentence
    assert f"you have the role {role}" in sentence
    for needed in WHO_MAY[permission]:
        assert f"CXR_{needed.upper()}_GROUPS" in sentence


def test_a_refusal_to_somebody_without_a_role_says_so() -> None:
    assert "you have none" in refusal(Permission.REVIEW, (), {Role.READER})
