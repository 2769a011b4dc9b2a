import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governance.bench.detection.world import LabelledWorld, read_events, read_world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ana asked twice, and the second came first and twice; Boris sends no text, Nadia nothing; Carla is a stranger."""
    labels = [
        {"account": "ana", "label": "benign", "family": "human_chat", "campaign": None, "source": "x", "text": "text"},
        {"account": "boris", "label": "malicious", "family": "evolution", "campaign": "c1", "text": "metadata_only"},
        {"account": "nadia", "label": "benign", "family": "human_chat", "campaign": None, "text": "text"},
        {"account": "lena", "label": "licensed", "family": "licensed_distiller", "campaign": None, "text": "text"},
    ]
    second = event("2", "ana", 8, messages=[said("user", "Once."), said("assistant", "Yes."), said("user", "Again.")])
    events = [
        second,
        event("1", "ana", 7, prompt="First."),
        second,
        event("2", "boris", 9),
        event("3", "carla", 10, prompt="Who am I?"),
        event("4", "lena", 11, prompt="Explain."),
    ]
    (tmp_path / "labels.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, labels)) + b"\n")
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress(b"\n".join(map(msgspec.json.encode, events))))
    return tmp_path


def event(name: str, account: str, hour: int, **given: Any) -> dict[str, Any]:
    at = f"2026-08-03T{hour:02}:00:00.500Z"
    return {"id": name, "occurred_at": at, "account": account, "input_tokens": 10 * hour, "output_tokens": 5, **given}


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


class TestAWorld:
    def test_counts_once_what_an_account_sent_twice(self, folder: Path) -> None:
        sent = [(one.account, one.id) for one in read_events(str(folder))]

        assert sent == [("ana", "2"), ("ana", "1"), ("boris", "2"), ("carla", "3"), ("lena", "4")]

    def test_has_the_texts_that_were_asked_in_order_of_time(self, folder: Path) -> None:
        world = read_world(str(folder))

        assert world.sent["ana"].texts == ["First.", "Again."]
        assert world.sent["ana"].tokens == [(70, 5), (80, 5)]
        assert [at.hour for at in world.sent["ana"].at] == [7, 8]

    def test_has_the_tokens_of_those_who_send_no_text(self, folder: Path) -> None:
        world = read_world(str(folder))

        assert world.sent["boris"].tokens == [(90, 5)]
        assert world.sent["boris"].texts == []
        assert world.labels["boris"].text == "metadata_only"

    def test_knows_who_sent_nothing_and_passes_over_strangers(self, folder: Path) -> None:
        world = read_world(str(folder))

        assert world.accounts == ["ana", "boris", "nadia"]
        assert world.sent["nadia"].tokens == []

    def test_leaves_the_licensed_out(self, folder: Path) -> None:
        assert "lena" not in read_world(str(folder)).labels

    def test_needs_events(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="holds none of"):
            read_world(str(tmp_path))

    def test_is_the_same_only_as_itself(self) -> None:
        assert LabelledWorld({}, {}) != LabelledWorld({}, {})
