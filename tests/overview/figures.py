"""Cases of known age and outcome, and what pages and SQL say of them."""

import csv
import io
import uuid
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client

from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case, Dismissal
from governance.review.verdicts import Verdict
from tests.factories import NOW, case, person
from tests.review.pages import text

HOUR = timedelta(hours=1)


def waiting(band: str, hours: float, *, due_in: int = 4) -> Case:
    """An open case that was opened so many hours ago."""
    opened = case(band=band, due_in=due_in)
    Case.objects.filter(pk=opened.pk).update(opened_at=NOW - hours * HOUR)
    return opened


def decided(hours: float, took: float) -> Case:
    """A case that was decided so many hours ago, so many hours after it was opened."""
    one, at = waiting("high", hours + took), NOW - hours * HOUR
    verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
    decide(one, verdict, decision_id=uuid.uuid4(), by=person(), now=at)
    return one


def one_figure(sql: str, **values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        [value] = cursor.fetchone() or (None,)
        return value


def listed(client: Client, query: str) -> int:
    """How many cases the list behind a figure has."""
    page = client.get(f"/overview/cases/?{query}").context["page"]
    assert page.total == len(page.cases)
    return int(page.total)


def rows_of(client: Client, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(client.get(f"/overview/{name}.csv")))))
