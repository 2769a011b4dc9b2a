"""What a bundle says: error rates as the documents have them, and as of when it speaks."""

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Account
from governance.audit.publishing import publish
from governance.bench.detection.measures import Share
from governance.detection.active_calibration import get_active_calibration
from governance.detection.scoring import REVIEW_LINE
from governance.evidence.facts import gather_facts
from governance.evidence.method import describe_method, error_rates
from governance.evidence.redaction import REDACTABLE, Redaction, UnknownRedactionError
from governance.evidence.samples import sample_events, spread
from governance.evidence.scope import Scope
from governance.evidence.sealing import seal_usage
from governance.evidence.wording import write_report
from governance.usage.models import UsageEvent
from tests.audit.publishing import write
from tests.evidence.days import YESTERDAY, use
from tests.factories import NOW, account, assessment, case

DOCUMENT = re.sub(r"\s+", " ", (Path(settings.BASE_DIR) / "docs" / "detection.md").read_text().replace("*", ""))


class TestErrorRates:
    @pytest.mark.parametrize("world", error_rates()["worlds"], ids=lambda world: world["name"])
    def test_have_the_intervals_of_their_counts(self, world: dict[str, Any]) -> None:
        for hits, of, said in (("found", "harvests", "recall"), ("wrongly_flagged", "others", "false_positives")):
            share = Share(world[hits], world[of])
            low, high = share.interval
            assert world[said] == f"{100 * share.value:.2f} % ({100 * low:.2f}–{100 * high:.2f})"

    def test_are_those_of_the_documents(self) -> None:
        for world in error_rates()["worlds"]:
            for name in ("recall_at_a_thousandth", "other_world", "auroc"):
                assert world[name] in DOCUMENT
        assert "148 of 175 and 140 of 332 harvests; 1 of 1,446 and 3 of 3,000 others" in DOCUMENT
        assert "7,951 accounts. Brier score 0.021, of the base rate alone 0.091" in DOCUMENT

    @pytest.mark.django_db
    def test_are_of_the_packaged_calibration_and_the_review_line(self) -> None:
        assert error_rates()["calibration"] == get_active_calibration().version
        assert error_rates()["review_line"] == REVIEW_LINE

    def test_of_another_calibration_were_not_measured(self) -> None:
        assert describe_method(["2026.3"])["is_measured"]
        assert not describe_method(["2026.3", "ours"])["is_measured"]


@pytest.mark.django_db
class TestAsOf:
    def test_is_the_first_checkpoint_that_covers_the_case(self) -> None:
        opened = case(account("acct_harbour"))
        first = publish(now=NOW)
        write()
        publish(now=NOW + timedelta(hours=1))

        scope = Scope(opened, now=NOW + timedelta(hours=2))

        assert (scope.checkpoint, scope.as_of) == (first, NOW)

    def test_is_the_newest_assessment_if_that_is_later(self) -> None:
        opened = case(account("acct_harbour"))
        publish(now=NOW)
        later = assessment(opened.own_account, score=12, band="low", at=NOW + timedelta(days=3))

        facts = gather_facts(Scope(opened, now=NOW), Redaction())

        assert facts["as_of"] == "2026-11-05T09:14:00Z"
        assert facts["bands"] == {later.band: 1}

    def test_does_not_move_on_with_sealed_days_of_others(self) -> None:
        use("acct_harbour", 2)
        opened = case(Account.objects.get(external_id="acct_harbour"))
        seal_usage(now=NOW)
        before = Scope(opened, now=NOW).checkpoint
        use("acct_other", 1, day=NOW.date())
        seal_usage(now=NOW + timedelta(days=2))

        after = Scope(opened, now=NOW + timedelta(days=2))

        assert after.checkpoint == before
        assert list(after.seals) == [YESTERDAY]


@pytest.mark.django_db
class TestSealedDays:
    def test_whose_events_arrived_late_say_so(self) -> None:
        use("acct_harbour", 2)
        opened = case(Account.objects.get(external_id="acct_harbour"))
        seal_usage(now=NOW)
        use("acct_harbour", 1, first=3, now=NOW + timedelta(hours=1))
        seal_usage(now=NOW + timedelta(days=1))
        scope = Scope(opened, now=NOW + timedelta(days=1))

        report = write_report(gather_facts(scope, Redaction()), None)

        [row] = next(block["rows"] for block in report.blocks if block.get("head", [""])[0] == "Day (UTC)")
        assert row[3].endswith(", seal no. 2: some events arrived late")
        assert scope.entries.filter(verb="usage.sealed").count() == 2

    def test_show_no_events_that_are_no_longer_those_that_were_sealed(self) -> None:
        use("acct_harbour", 2)
        opened = case(Account.objects.get(external_id="acct_harbour"))
        seal_usage(now=NOW)
        scope = Scope(opened, now=NOW)
        assert len(list(sample_events(scope, Redaction()))) == 2

        UsageEvent.objects.filter(event_id__endswith="_1").update(end_user=None)  # as an erasure does

        assert list(sample_events(scope, Redaction())) == []


class TestWhatIsWithheld:
    def test_has_a_name(self) -> None:
        with pytest.raises(UnknownRedactionError, match="names cannot be withheld"):
            Redaction.of(["names"])

    @pytest.mark.django_db
    def test_is_refused_by_the_command_under_another_name(self) -> None:
        opened = case()

        with pytest.raises(CommandError, match=r"Choose from: .*staff"):
            call_command("evidence", str(opened.pk), "--redact", "names", stdout=StringIO())

    def test_is_said_in_words(self) -> None:
        assert Redaction.of(REDACTABLE).in_words == [REDACTABLE[name] for name in sorted(REDACTABLE)]

    def test_leaves_what_is_empty_as_it_is(self) -> None:
        assert Redaction.of(["notes"]).show("notes", "") == ""
        assert Redaction.of(["notes"]).show("notes", "Called.") == "[withheld]"


@pytest.mark.django_db
def test_a_case_that_does_not_exist_has_no_evidence() -> None:
    with pytest.raises(CommandError, match="There is no case"):
        call_command("evidence", str(uuid4()))


def test_days_are_spread_from_the_first_to_the_last() -> None:
    assert spread(range(28), 5) == [0, 7, 14, 20, 27]
