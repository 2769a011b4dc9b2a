import pytest

from governance.staff.roles import Role, can_open_admin, may


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
            (Role.ADMIN, "staff.change_user", True),
            ("somebody", "review.view_case", False),
        ],
    )
    def test_says_what_a_role_may_do(self, role: str, permission: str, allowed: bool) -> None:  # noqa: FBT001
        assert may(role, permission) is allowed

    def test_reviewers_have_no_business_in_the_admin(self) -> None:
        assert not can_open_admin(Role.REVIEWER)
