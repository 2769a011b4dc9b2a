from collections.abc import Iterator

import pytest

from tests.front import Served, served


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one
