"""How today's customers differ from those of the calibration: the figures, the file, and the page."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf, log
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.detection.active_calibration import activate_calibration, parse_calibration_file
from governance.detection.calibration import Calibration, CalibrationError, format_calibration
from governance.detection.detectors import all_detectors
from governance.detection.drift import (
    FEWEST,
    AssessedAccount,
    DriftLine,
    Reference,
    Verdict,
    build_reference,
    compare,
    get_verdict,
    stability_index,
)
from governance.detection.models import Assessment
from governance.detection.queries import load_assessed_accounts
from governance.staff.roles import Role
from tests.factories import FINDING, MACHINE, NOW, account, assessment, person
from tests.review.pages import signed_in

TITLES = {"known_corpus": "Sends prompts from a known corpus", "shared_card": "Shares a payment card"}
QUIET = AssessedAccount(0, 0, None, {})
HARVEST = AssessedAccount(60, 40, 1.5, {"known_corpus": "content"})


def customers(quiet: int, harvests: int) -> list[AssessedAccount]:
    return [QUIET] * quiet + [HARVEST] * harvests


def compared(then: Sequence[AssessedAccount], now: Sequence[AssessedAccount]) -> dict[str, DriftLine]:
    reference = build_reference(then, TITLES)
    assert reference is not None
    return {line.title: line for line in compare(reference, now, TITLES)}


class TestStabilityIndex:
    def test_is_the_sum_over_groups(self) -> None:
        expected = (0.2 - 0.1) * log(2) + (0.8 - 0.9) * log(0.8 / 0.9)

        assert stability_index([0.1, 0.9], [0.2, 0.8], then_of=1e9, now_of=1e9) == pytest.approx(expected, rel=1e-6)

    def test_is_finite_where_a_group_is_empty(self) -> None:
        assert 0 < stability_index([0.0, 1.0], [1.0, 0.0], then_of=100, now_of=100) < inf

    @pytest.mark.parametrize(
        ("index", "of", "verdict"),
        [
            (0.0999, 10_000, Verdict.STABLE),
            (0.1, 10_000, Verdict.WATCH),
            (0.2499, 10_000, Verdict.WATCH),
            (0.25, 10_000, Verdict.MOVED),
            (0.13, 100, Verdict.STABLE),  # 6.63 · 2/100: so much differs by chance once in a hundred times
            (0.14, 100, Verdict.WATCH),
            (0.6, 20, Verdict.STABLE),
        ],
    )
    def test_verdict(self, index: float, of: int, verdict: Verdict) -> None:
        assert get_verdict(index, groups=2, then_of=of, now_of=of) is verdict

    def test_customers_of_one_kind_are_called_stable(self) -> None:
        dice = Random(4)
        verdicts = [
            get_verdict(stability_index(then, now, then_of=150, now_of=150), groups=5, then_of=150, now_of=150)
            for then, now in ((shares(dice), shares(dice)) for _ in range(300))
        ]

        assert sum(verdict is not Verdict.STABLE for verdict in verdicts) <= 12  # of 300, where three are expected


def shares(dice: Random, *, of: int = 150) -> list[float]:
    drawn = dice.choices(range(5), [50, 20, 15, 10, 5], k=of)
    return [drawn.count(group) / of for group in range(5)]


class TestComparison:
    def test_of_the_same_customers_is_stable_everywhere(self) -> None:
        lines = compared(customers(900, 100), customers(450, 50))

        assert {line.verdict for line in lines.values()} == {Verdict.STABLE}
        assert all(line.psi == pytest.approx(0, abs=0.02) for line in lines.values())

    def test_says_what_has_moved(self) -> None:
        lines = compared(customers(900, 100), customers(500, 500))

        moved = {title for title, line in lines.items() if line.verdict is Verdict.MOVED}
        assert moved == {
            "Score",
            "Text was read",
            "Evidence of the family content",
            "Sends prompts from a known corpus",
        }
        with_text = lines["Text was read"].groups[1]
        assert (with_text.then, with_text.now) == (0.1, 0.5)
        assert lines["Shares a payment card"].psi == pytest.approx(0, abs=0.001)

    def test_of_content_is_among_accounts_with_text(self) -> None:
        line = compared(customers(900, 100), customers(100, 900))["Content, as log-odds of a harvest"]

        assert [group.now for group in line.groups] == [0, 0, 0, 0, 0, 1.0, 0]
        assert line.verdict is Verdict.STABLE

    def test_leaves_out_a_detector_that_is_newer_than_the_calibration(self) -> None:
        reference = build_reference(customers(100, 0), ["known_corpus"])
        assert reference is not None

        titles = [line.title for line in compare(reference, customers(100, 0), TITLES)]

        assert TITLES["known_corpus"] in titles
        assert TITLES["shared_card"] not in titles

    @pytest.mark.parametrize("figures", [{}, {"score": [1.0]}, {"score": []}, {"score": [0.0] * 7}, {"tea": [0.5]}])
    def test_leaves_out_what_it_does_not_understand(self, figures: dict[str, Any]) -> None:
        assert [*compare(Reference(500, figures), customers(100, 0), TITLES)] == []

    def test_needs_some_customers(self) -> None:
        assert build_reference(customers(FEWEST - 1, 0), TITLES) is None


class TestInACalibrationsFile:
    def test_is_read_as_it_was_written(self) -> None:
        made = Calibration(version="1", reference=build_reference(customers(90, 30), TITLES))

        assert parse_calibration_file(format_calibration(made)) == made

    @pytest.mark.parametrize(
        "reference",
        [
            "reference = 3",
            "[reference]\naccounts = 0\n[reference.figures]",
            "[reference]\naccounts = 9",
            "[reference]\naccounts = 9\nfigures = 1",
            "[reference]\naccounts = 9\n[reference.figures]\nscore = [2.0]",
            "[reference]\naccounts = 9\n[reference.figures]\nscore = [nan]",
            "[reference]\naccounts = 9\n[reference.figures]\nscore = 1",
            "[reference]\naccounts = 9\nother = 1\n[reference.figures]",
        ],
    )
    def test_is_refused_where_it_is_none(self, reference: str) -> None:
        with pytest.raises(CalibrationError):
            parse_calibration_file(f'version = "1"\nweights = {{}}\n{reference}')


def today(number: int, *, at: Any = None, **fields: Any) -> None:
    for place in range(number):
        assessment(account(f"acct_{fields.get('score')}_{place}"), at=at or timezone.now(), **fields)


def activate(reference: Reference | None) -> None:
    text = format_calibration(replace(Calibration(version="2026-12"), reference=reference))
    activate_calibration(text, by=MACHINE, now=NOW)


def page(client: Client) -> str:
    response = client.get("/calibration/drift/")
    assert response.status_code == 200
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Berg", role=Role.LEAD))


@pytest.mark.django_db
class TestThePage:
    def test_shows_what_has_moved_and_of_how_many(self, jonas: Client) -> None:
        names = [detector.name for detector in all_detectors()]
        activate(build_reference(customers(150, 10), names))
        today(60, score=0, findings=[])
        today(60, score=82, findings=[FINDING | {"detector": "known_corpus"}], texts=5, content_log_odds=1.5)

        shown = page(jonas)

        assert "calibration 2026-12 was made for" in shown
        assert "Then: 160 accounts. Today: 120 accounts with a score of the last 28 days." in shown
        assert "Text was read moved" in shown
        assert "6 % → 50 %" in shown
        assert "85 to 100 0 % → 0 %" in shown
        assert "stable 0.00" in shown
        assert re.search(r"\d moved, 0 to watch", shown)

    def test_says_that_nothing_has_moved(self, jonas: Client) -> None:
        activate(build_reference(customers(150, 0), []))
        today(FEWEST, score=0, findings=[])

        assert "Nothing has moved" in page(jonas)

    def test_says_that_the_calibration_does_not_say_whom_it_was_made_for(self, jonas: Client) -> None:
        today(FEWEST, score=0, findings=[])

        assert "This calibration does not say whom it was made for." in page(jonas)

    def test_says_that_there_are_too_few_customers(self, jonas: Client) -> None:
        activate(build_reference(customers(150, 10), []))
        today(2, score=0)

        assert "Too few customers to compare: 2 with a score of the last 28 days. It takes 100." in page(jonas)

    def test_is_linked_from_the_policy(self, jonas: Client) -> None:
        assert 'href="/calibration/drift/"' in jonas.get("/policy/").content.decode()

    @pytest.mark.parametrize(
        ("role", "status"), [(Role.REVIEWER, 403), (Role.LEAD, 200), (Role.AUDITOR, 200), (Role.ADMIN, 200)]
    )
    def test_is_for_those_who_may_see_calibrations(self, role: Role, status: int) -> None:
        assert signed_in(person(role=role)).get("/calibration/drift/").status_code == status

    def test_takes_as_many_queries_for_many_accounts_as_for_few(
        self, jonas: Client, django_assert_max_num_queries: Any
    ) -> None:
        activate(build_reference(customers(150, 10), []))
        today(FEWEST, score=0)

        with django_assert_max_num_queries(6):  # session, user, calibration, assessments
            page(jonas)


@pytest.mark.django_db
class TestTodaysCustomers:
    def test_are_the_latest_assessments_of_the_last_weeks(self) -> None:
        one, gone = account("acct_one"), account("acct_gone")
        assessment(one, score=10, at=NOW - timedelta(days=3))
        assessment(one, score=60, at=NOW, texts=7, content_log_odds=0.5)
        assessment(gone, score=10, at=NOW - timedelta(days=29))

        assert load_assessed_accounts(now=NOW) == [AssessedAccount(60, 7, 0.5, {"fixed_wrapper": "content"})]

    def test_are_those_that_were_confirmed_since(self) -> None:
        assessment(account(), score=10, at=NOW - timedelta(days=90), findings=[])
        Assessment.objects.update(confirmed_at=NOW)

        assert load_assessed_accounts(now=NOW) == [AssessedAccount(10, 0, None, {})]
