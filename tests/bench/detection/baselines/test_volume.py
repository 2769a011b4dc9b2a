from governance.bench.detection.baselines import volume
from tests.bench.detection.worlds import customer, world


class TestVolume:
    def test_is_the_number_of_requests(self) -> None:
        found = volume.scores(
            world(customer("hugo", tokens=[(10, 10)] * 300), customer("ana", texts=["Hello.", "And now?"]))
        )

        assert found == {"hugo": 300, "ana": 2}
