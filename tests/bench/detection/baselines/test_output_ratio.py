from governance.bench.detection.baselines import output_ratio
from governance.bench.detection.world import Sent, WorldLabel
from tests.bench.detection.worlds import customer, world


class TestTheOutputRatio:
    def test_is_the_middle_one_of_an_accounts_requests(self) -> None:
        found = output_ratio.scores(world(customer("hugo", tokens=[(100, 100), (100, 900), (100, 300)])))

        assert found == {"hugo": 3}

    def test_takes_an_empty_request_for_one_token(self) -> None:
        assert output_ratio.scores(world(customer("ana", tokens=[(0, 7)]))) == {"ana": 7}

    def test_is_nothing_for_somebody_who_sent_nothing(self) -> None:
        assert output_ratio.scores(world((WorldLabel("nadia", "benign", "human_chat"), Sent()))) == {"nadia": 0}
