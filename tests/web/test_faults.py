"""What is wrong with a body, in words that help whoever sent it."""

from typing import Any

import msgspec
import pytest

from governance.web.faults import plain_fault


class Named(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    plan: str = ""


@pytest.mark.parametrize("kind", [list[Named], list[Named | str], list[Named | None]])
def test_a_member_that_is_not_known_is_named_with_those_that_are(kind: Any) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(b'[{"name": "acct_1", "plam": "free"}]', type=kind)

    assert plain_fault(refused.value, kind).startswith("[0].plam (did you mean plan?) is not known")
    assert plain_fault(refused.value, kind).endswith("Allowed: name, plan")
