import pytest

from governance.audit.models import Entry
from governance.detection.active_calibration import (
    CalibrationVersionTakenError,
    activate_calibration,
    get_active_calibration,
    parse_calibration_file,
)
from governance.detection.calibration import (
    Calibration,
    CalibrationError,
    format_calibration,
    packaged_calibration_text,
)
from tests.factories import MACHINE, NOW

LIGHTER = Calibration(version="2027.1", weights={"synthetic_tasks": 20.0, "public_prompts": -12.5}, fitted_on="nobody")


class TestACalibrationsFile:
    def test_is_read_as_it_was_written(self) -> None:
        assert parse_calibration_file(format_calibration(LIGHTER)) == LIGHTER

    def test_that_comes_with_stillwatch_can_be_read(self) -> None:
        assert parse_calibration_file(packaged_calibration_text()).version

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("version = ", "it is not TOML"),
            ("[weights]", "version is missing"),
            ('version = " "\n[weights]', "version must be a text"),
            ('version = "1"', "weights is missing"),
            ('version = "1"\nweights = 3', "weights must be a table of numbers, one for each detector"),
            ('version = "1"\nfited_on = "all"\n[weights]', r"fited_on \(did you mean fitted_on\?\) is not known"),
            ('version = "1"\n[weights]\nsynthetic_tasks = nan', "the weight of synthetic_tasks is no number"),
            ('version = "1"\n[weights]\ntea_leaves = 3', "there is no detector tea_leaves"),
            ('version = "1"\n[weights]\nsynthetic_tasks = "much"', "the weight of synthetic_tasks is no number"),
            ('version = "1"\n[weights]\nsynthetic_tasks = -3', "its weight cannot be -3"),
            ('version = "1"\n[weights]\npublic_prompts = 3', "its weight cannot be 3"),
            ('version = "1"\n[weights]\nsynthetic_tasks = 99', "more points than its whole family may give, 80"),
            ('version = "1"\n[weights]\npublic_prompts = -17', "more than a finding in favour may, 16"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text: str, fault: str) -> None:
        with pytest.raises(CalibrationError, match=fault):
            parse_calibration_file(text)


@pytest.mark.django_db
class TestPuttingInForce:
    def test_judges_by_it_from_then_on(self) -> None:
        activate_calibration(format_calibration(LIGHTER), by=MACHINE, now=NOW)

        assert get_active_calibration() == LIGHTER

    def test_is_in_the_log_with_the_whole_file(self) -> None:
        activate_calibration(format_calibration(LIGHTER), by=MACHINE, now=NOW)

        entry = Entry.objects.get(verb="calibration.activated")
        assert entry.details["content"] == format_calibration(LIGHTER)

    def test_refuses_other_weights_by_the_same_name(self) -> None:
        activate_calibration(format_calibration(LIGHTER), by=MACHINE, now=NOW)
        other = Calibration(version="2027.1", weights={"synthetic_tasks": 5.0})

        with pytest.raises(CalibrationVersionTakenError):
            activate_calibration(format_calibration(other), by=MACHINE, now=NOW)

        assert get_active_calibration() == LIGHTER

    def test_judges_by_the_packaged_one_where_none_was(self) -> None:
        assert get_active_calibration() == parse_calibration_file(packaged_calibration_text())
