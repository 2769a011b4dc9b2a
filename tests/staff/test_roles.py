from pathlib import Path

import pytest
from django.conf import settings

from governance.staff.roles import Role, can_open_admin, may, roles_as_markdown


class TestMay:
    @pytest.mark.parametrize(
        ("role", "permission", "allowed"),
        [
            (Role.REVIEWER, "review.work_case", True),
            (Role.REVIEWER, "audit.view_entry", False),
            (Role.REVIEWER, "staff.view_user", False),
            (Role.LEAD, "review.work_case", True),
            (Role.LEAD, "audit.view_entry", True),
            (Role.LEAD, "staff.change_user", False),
            (Role.AUDITOR, "audit.view_entry", True),
            (Role.AUDITOR, "review.view_case", True),
            (Role.AUDITOR, "review.work_case", False),
            (Role.AUDITOR, "restrictions.lift_restriction", False),
            (Role.POLICY_ENGINEER, "policies.add_policyversion", True),
            (Role.POLICY_ENGINEER, "policies.approve_policyversion", True),
            (Role.POLICY_ENGINEER, "review.view_case", True),
            (Role.POLICY_ENGINEER, "review.work_case", False),
            (Role.POLICY_ENGINEER, "audit.view_entry", False),
            (Role.POLICY_ENGINEER, "usage.view_usageevent", False),
            (Role.LEAD, "usage.view_usageevent", True),
            (Role.LEAD, "usage.change_usageevent", False),
            (Role.ADMIN, "usage.change_usageevent", True),
            (Role.ADMIN, "staff.change_user", True),
            ("somebody", "review.view_case", False),
        ],
    )
    def test_says_what_a_role_may_do(self, role: str, permission: str, allowed: bool) -> None:  # noqa: FBT001
        assert may(role, permission) is allowed

    def test_reviewers_and_policy_engineers_have_no_business_in_the_admin(self) -> None:
        assert [role for role in Role if can_open_admin(role)] == [Role.LEAD, Role.AUDITOR, Role.ADMIN]


def test_the_page_of_the_docs_is_made_of_the_table() -> None:
    written = (Path(settings.BASE_DIR) / "docs/roles.md").read_text()

    assert written == roles_as_markdown(), "run make docs"
