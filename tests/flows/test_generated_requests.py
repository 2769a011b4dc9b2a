"""Requests made up from the description of the API, by its rules and against them: no answer is an error of the server,
or another one than the description says.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from governance.audit.actor import Actor
from governance.bench.serving import check_server, web_server
from governance.openapi.document import openapi_document, operations
from governance.sharing.actions.partners import add_partner
from governance.sharing.models import Tlp
from governance.staff.models import ServiceKey
from tests.everything import one_of_everything
from tests.factories import service_key
from tests.measuring import Measured
from tests.waiting import PATIENCE

CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Of each operation, in each of the two ways.
FEW, MANY = 4, 20
# The check answers 503 until this change has arrived, which one that is made up never does.
LATER: Final = "min_sequence"


class Api:
    """The web server and the check as they are run, on rows of every kind, and keys that may do everything."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        _, known = service_key(*ServiceKey.Scope.values)
        _, _, secret = known["HTTP_AUTHORIZATION"].partition(" ")
        self.known = {"Authorization": f"Bearer {secret}", "X-Stillwatch-Key": secret}
        now, by = timezone.now(), Actor.system("test")
        partner = add_partner("East Lab", receives=True, sends=False, tlp=Tlp.GREEN, by=by, now=now)
        self.known_as_partner = {"Authorization": f"Bearer {partner.token}"}
        self.schema = schemathesis.openapi.from_dict(openapi_document())
        self.asked = 0

    def failures(self, *, examples: int) -> list[str]:
        """What is wrong with which operation."""
        found = []
        for result in self.schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                try:
                    self._ask(operation, mode, examples=examples)
                except Exception as error:  # noqa: BLE001 - whatever it is, the others are asked too
                    found.append(f"{operation.label}, {mode.name}: {error}")
        return found

    def _ask(self, operation: Any, mode: GenerationMode, *, examples: int) -> None:
        known = self.known_as_partner if operation.path.startswith("/taxii2/") else self.known

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def is_answered_as_described(case: Any) -> None:
            for given_members in (case.query, case.body):
                if isinstance(given_members, dict):
                    given_members.pop(LATER, None)
            self.asked += 1
            answer = case.call(base_url=self.url, headers=known, timeout=PATIENCE)
            case.validate_response(answer, checks=CHECKS)

        is_answered_as_described()


@pytest.fixture
def api(transactional_db: None) -> Iterator[Api]:
    one_of_everything()
    with (
        check_server(workers=1) as (check_port, _),
        web_server(workers=1, threads=8, CHECK_URL=f"http://127.0.0.1:{check_port}") as (port, _),
    ):
        yield Api(port)


def test_are_answered_as_it_says(api: Api) -> None:
    assert api.failures(examples=FEW) == []
    assert api.asked >= len(list(operations(openapi_document())))


@pytest.mark.long
def test_are_answered_as_it_says_however_many_there_are(api: Api, measured: Measured) -> None:
    failures = api.failures(examples=MANY)

    measured(f"{api.asked:,} generated requests, {len(failures)} operations answered otherwise than described")
    assert failures == []
