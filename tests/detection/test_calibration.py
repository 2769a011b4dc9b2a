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
    caps_for,
    format_calibration,
    packaged_calibration_text,
)
from governance.detection.drift import Reference
from governance.detection.finding import Family
from governance.detection.probability import ProbabilityCurve
from tests.factories import MACHINE, NOW

LIGHTER = Calibration(version="2027.1", weights={"synthetic_tasks": 20.0, "public_prompts": -12.5}, fitted_on="nobody")


WHOLE = Calibration(
    version="2027.2",
    weights={"synthetic_tasks": 20.0, "set_items": 20.0, "public_prompts": -12.5, "known_corpus": 30.5},
    fitted_on="1,621 labelled accounts",
    probability=ProbabilityCurve(intercept=-1.625, slope=0.21, variance=(0.02, -0.0005, 0.0000625), accounts=1_621),
    reference=Reference(1_700, {"texts": [0.15, 0.85], "finding_set_items": [0.875, 0.125]}),
)
WRITTEN = """\
version = "2027.2"
fitted_on = "1,621 labelled accounts"

[weights]
known_corpus = 30.5
set_items = 20.0
synthetic_tasks = 20.0
public_prompts = -12.5

[probability]
intercept = -1.625
slope = 0.21
variance = [0.02, -0.0005, 6.25e-05]
accounts = 1621

[reference]
accounts = 1700

[reference.figures]
texts = [0.15, 0.85]
finding_set_items = [0.875, 0.125]
"""


class TestACalibrationsFile:
    @pytest.mark.parametrize("calibration", [LIGHTER, WHOLE])
    def test_is_read_as_it_was_written(self, calibration: Calibration) -> None:
        assert parse_calibration_file(format_calibration(calibration)) == calibration

    def test_is_written_for_people_with_the_heaviest_detectors_first(self) -> None:
        assert format_calibration(WHOLE) == WRITTEN

    def test_ends_with_the_probability_where_it_does_not_say_whom_it_was_made_for(self) -> None:
        assert format_calibration(LIGHTER).endswith("variance = [0, 0, 0]\naccounts = 0\n")

    def test_is_written_with_numbers_as_short_as_people_can_use(self) -> None:
        curve = ProbabilityCurve(intercept=-1.23456, slope=0.2123456, variance=(0.12345678, 0.0, 0.0))
        calibration = Calibration(
            version="1",
            weights={"set_items": 20.06},
            probability=curve,
            reference=Reference(1, {"texts": [1 / 3, 1.0]}),
        )

        written = format_calibration(calibration).splitlines()

        assert {"set_items = 20.1", "intercept = -1.235", "slope = 0.2123", "texts = [0.333333, 1]"} <= {*written}
        assert "variance = [0.123457, 0, 0]" in written

    def test_leaves_out_what_has_a_default(self) -> None:
        assert parse_calibration_file('version = " 1 "\n[weights]') == Calibration(version="1")

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
            ('version = "1"\n[weights]\nsynthetic_tasks = inf', "the weight of synthetic_tasks is no number"),
            ('version = "1"\n[weights]\nsynthetic_tasks = true', "the weight of synthetic_tasks is no number"),
            ('version = "1"\n[weights]\ntea_leaves = 3', "there is no detector tea_leaves$"),
            (
                'version = "1"\n[weights]\nset_item = 3\npublic_prompts = 3',
                r"^there is no detector set_item \(did you mean set_items\?\); public_prompts is of the harmless ",
            ),
            ('version = "1"\n[weights]\nsynthetic_tasks = "much"', "the weight of synthetic_tasks is no number"),
            ('version = "1"\n[weights]\nsynthetic_tasks = -3', "its weight cannot be -3"),
            ('version = "1"\n[weights]\npublic_prompts = 3', "its weight cannot be 3"),
            ('version = "1"\n[weights]\nsynthetic_tasks = 99', "more points than its whole family may give, 80"),
            ('version = "1"\n[weights]\nsynthetic_tasks = 80.1', "more points than its whole family may give, 80"),
            ('version = "1"\n[weights]\npublic_prompts = -17', "more than a finding in favour may, 16"),
            ('version = "1"\n[weights]\npublic_prompts = -16.1', "more than a finding in favour may, 16"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text: str, fault: str) -> None:
        with pytest.raises(CalibrationError, match=fault):
            parse_calibration_file(text)

    @pytest.mark.parametrize(
        ("detector", "weight"),
        [("synthetic_tasks", 80), ("synthetic_tasks", 0.5), ("synthetic_tasks", 0), ("public_prompts", -16)],
    )
    def test_may_give_a_detector_as_much_as_its_family_has(self, detector: str, weight: float) -> None:
        weights = parse_calibration_file(f'version = "1"\n[weights]\n{detector} = {weight}').weights

        assert weights == {detector: weight}
        assert isinstance(weights[detector], float)

    def test_leaves_a_detector_that_it_does_not_name_its_own_weight(self) -> None:
        assert LIGHTER.weight("synthetic_tasks", otherwise=44.0) == 20.0
        assert LIGHTER.weight("set_items", otherwise=44.0) == 44.0

    def test_lets_careless_tools_count_less_where_text_was_read(self) -> None:
        assert [caps_for(texts)[Family.SHAPE] for texts in (0, 1, 300)] == [38, 4, 4]


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
