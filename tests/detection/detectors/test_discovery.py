from pathlib import Path
from types import ModuleType

import pytest

from governance.detection.detectors import Detector, DetectorError, all_detectors, detector_from, in_favour
from governance.detection.detectors.against import known_corpus
from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, usage


def works_at_night(usage: AccountUsage, *, share: float = 0.5) -> Finding | None:
    return Finding(strength=share, sentence=f"{usage.events} requests came at night.")


def needs_a_share(usage: AccountUsage, *, share: float) -> Finding | None:
    return works_at_night(usage, share=share)


def module(folder: str = "against", **members: object) -> ModuleType:
    made = ModuleType(
        f"governance.detection.detectors.{folder}.night_owl", doc="Works at night.\n\nOnly ever at night.\n"
    )
    good: dict[str, object] = {
        "FAMILY": Family.RHYTHM,
        "VERSION": 1,
        "WEIGHT": 10,
        "HARMLESS": "Some people work at night.",
        "detect": works_at_night,
    }
    for name, value in (good | members).items():
        if value is not None:
            setattr(made, name, value)
    return made


class TestDetectorFrom:
    def test_takes_title_and_description_from_the_docstring(self) -> None:
        detector = detector_from(module())

        assert detector.name == "night_owl"
        assert detector.title == "Works at night"
        assert detector.description == "Only ever at night."

    def test_names_everything_that_is_missing(self) -> None:
        with pytest.raises(DetectorError, match=r"night_owl is not a detector: FAMILY .*; WEIGHT .*"):
            detector_from(module(FAMILY=None, WEIGHT="ten"))

    def test_refuses_a_file_without_docstring(self) -> None:
        undescribed = module()
        undescribed.__doc__ = " "

        with pytest.raises(DetectorError, match="it has no docstring"):
            detector_from(undescribed)

    def test_refuses_a_file_without_detect(self) -> None:
        with pytest.raises(DetectorError, match="no function detect"):
            detector_from(module(detect=None))

    def test_refuses_tunables_without_defaults(self) -> None:
        with pytest.raises(DetectorError, match="keyword-only tunables with defaults"):
            detector_from(module(detect=needs_a_share))

    def test_takes_one_in_favour_with_negative_weight(self) -> None:
        detector = detector_from(module("in_favour", FAMILY=Family.HARMLESS, WEIGHT=-10))

        assert (detector.family, detector.weight) == (Family.HARMLESS, -10)

    @pytest.mark.parametrize(
        ("folder", "family", "weight", "message"),
        [
            ("against", Family.RHYTHM, -10, "in against/"),
            ("against", Family.HARMLESS, 10, "in against/"),
            ("against", Family.HARMLESS, -10, "in against/"),
            ("in_favour", Family.HARMLESS, 10, "in in_favour/"),
            ("in_favour", Family.HARMLESS, 0, "in in_favour/"),
            ("in_favour", Family.RHYTHM, -10, "in in_favour/"),
        ],
    )
    def test_refuses_points_of_the_other_side(self, folder: str, family: Family, weight: float, message: str) -> None:
        with pytest.raises(DetectorError, match=message):
            detector_from(module(folder, FAMILY=family, WEIGHT=weight))


class TestFinding:
    def test_signs_what_the_detector_saw(self) -> None:
        finding = detector_from(module()).finding(usage())

        assert finding is not None
        assert (finding.detector, finding.title, finding.family) == ("night_owl", "Works at night", Family.RHYTHM)
        assert finding.harmless == "Some people work at night."

    def test_passes_tunables_on(self) -> None:
        finding = detector_from(module()).finding(usage(), share=0.9)

        assert finding is not None
        assert finding.strength == 0.9

    def test_takes_a_strength_of_nought_as_nothing_seen(self) -> None:
        assert detector_from(module()).finding(usage(), share=0) is None


class TestAllDetectors:
    def test_are_found_in_both_folders(self) -> None:
        weights = {detector.name: detector.weight for detector in all_detectors()}

        assert weights["known_corpus"] > 0 > weights["evaluation_harness"]
        assert list(weights) == sorted(weights)

    def test_refuse_one_name_in_both_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "known_corpus.py").write_text(
            Path(known_corpus.__file__)
            .read_text()
            .replace("CONTENT", "HARMLESS")
            .replace("WEIGHT: Final = 30", "WEIGHT: Final = -30")
        )
        monkeypatch.setattr(in_favour, "__path__", [*in_favour.__path__, str(tmp_path)])

        with pytest.raises(DetectorError, match="Rename one of the detectors called known_corpus"):
            all_detectors.__wrapped__()

    def test_cover_every_family(self) -> None:
        assert {detector.family for detector in all_detectors()} == set(Family)

    @pytest.mark.parametrize("detector", all_detectors(), ids=lambda detector: detector.name)
    def test_describe_themselves_in_sentences(self, detector: Detector) -> None:
        assert all(text[0].isupper() for text in (detector.title, detector.description, detector.harmless))
        assert detector.harmless.endswith(".")

    @pytest.mark.parametrize("detector", all_detectors(), ids=lambda detector: detector.name)
    def test_see_nothing_in_an_account_that_did_nothing(self, detector: Detector) -> None:
        assert detector.finding(nadia_the_newcomer()) is None

    def test_give_evidence_that_json_can_hold(self) -> None:
        found = [finding for detector in all_detectors() if (finding := detector.finding(marcus_the_harvester()))]

        assert found
        assert all(isinstance(value, str | int | float | bool | None) for f in found for value in f.evidence.values())
