from datetime import UTC, datetime

from governance.detection.calibration import Calibration
from governance.detection.detectors import all_detectors
from governance.detection.detectors.against.licence_ended import detect
from governance.detection.scoring import assess
from governance.usage.account_usage import AccountFacts, AccountUsage

ENDED = datetime(2026, 11, 1, tzinfo=UTC)


class TestLicenceEnded:
    def test_says_when_the_licence_ended(self) -> None:
        finding = detect(AccountUsage(facts=AccountFacts(licence_ended_at=ENDED)))

        assert finding is not None
        assert finding.strength == 1.0
        assert finding.sentence == "Licence to train ended on 1 November 2026."

    def test_says_nothing_while_another_is_in_force(self) -> None:
        assert detect(AccountUsage(facts=AccountFacts(licence_ended_at=ENDED, licensed=True))) is None

    def test_says_nothing_of_an_account_that_never_had_one(self) -> None:
        assert detect(AccountUsage()) is None

    def test_gives_no_points(self) -> None:
        usage = AccountUsage(facts=AccountFacts(licence_ended_at=ENDED))

        score = assess(usage, all_detectors(), Calibration(version="1"))

        assert (score.points, [one.points for one in score.findings]) == (0, [0])
