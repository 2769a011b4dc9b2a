import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import Account
from governance.audit.models import Entry
from governance.campaigns.queries import load_context, load_usage
from governance.detection.corpora import recognise_corpora
from governance.detection.models import Corpus, CorpusShingle
from governance.usage.account_usage import AccountFacts
from governance.usage.actions import compact_profiles, record_lines
from tests.factories import NOW, line

PARTS = ("harbour", "lantern", "meadow", "copper", "violin", "glacier", "saddle", "orchard", "compass", "thunder")


def question(number: int) -> str:
    """A question that nobody else asks."""
    words = [f"{PARTS[step % 10]}{number}x{step}" for step in range(30)]
    return f"Why would anybody ask {' '.join(words)}?"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Two hundred questions."""
    file = tmp_path / "collection.jsonl"
    file.write_text("\n".join(json.dumps({"instruction": question(number), "output": "…"}) for number in range(200)))
    return file


def facts(*, wrapper: str = "{}", start: int = 0) -> AccountFacts:
    """What is known of an account that sent forty questions in this wrapper."""
    asked = {number: wrapper.format(question(number)) for number in range(start, start + 40)}
    record_lines(
        [line(id=f"q{number}", messages=[{"role": "user", "content": content}]) for number, content in asked.items()],
        source="native",
        now=NOW,
    )
    keys = list(Account.objects.values_list("pk", flat=True))
    compact_profiles(keys)
    (context,) = load_context(load_usage(keys, now=NOW))
    return context.usage.facts


@pytest.mark.django_db
class TestAKnownCorpus:
    def test_is_recognised_in_any_wrapper(self, collection: Path) -> None:
        call_command("add_corpus", "questions", str(collection))

        known = facts(wrapper="Think aloud, and then answer at length.\n\n{}\n\nGive all of your steps.")

        assert known.corpus == "questions"
        assert known.corpus_share > 0.6

    def test_is_not_seen_in_other_questions(self, collection: Path) -> None:
        call_command("add_corpus", "questions", str(collection))

        assert facts(start=5_000).corpus_share < 0.1

    def test_speaks_for_an_account_where_it_is_an_evaluation(self, collection: Path) -> None:
        call_command("add_corpus", "quiz", str(collection), evaluation=True)

        known = facts()

        assert known.evaluation_share > 0.6
        assert known.corpus_share == 0

    def test_is_kept_as_digests_that_mean_nothing_under_another_key(self, collection: Path, settings: Settings) -> None:
        call_command("add_corpus", "questions", str(collection))

        settings.FINGERPRINT_KEY = b"another key, thirty-two bytes long"

        assert facts().corpus_share == 0

    def test_is_replaced_by_the_same_name(self, collection: Path, tmp_path: Path) -> None:
        call_command("add_corpus", "questions", str(collection))
        other = tmp_path / "other.txt"
        other.write_text("\n".join(question(number) for number in range(9_000, 9_050)))

        call_command("add_corpus", "questions", str(other))

        assert Corpus.objects.get().texts == 50
        assert facts().corpus_share < 0.1

    def test_is_forgotten(self, collection: Path) -> None:
        call_command("add_corpus", "questions", str(collection))

        call_command("remove_corpus", "questions")

        assert not CorpusShingle.objects.exists()
        assert list(Entry.objects.order_by("number").values_list("verb", flat=True))[-2:] == [
            "corpus.added",
            "corpus.removed",
        ]

    def test_that_is_not_known_cannot_be_forgotten(self) -> None:
        with pytest.raises(CommandError, match=r"^There is no corpus named questions\.$"):
            call_command("remove_corpus", "questions")

        assert not Entry.objects.filter(verb="corpus.removed").exists()

    def test_may_be_known_by_two_names(self, collection: Path) -> None:
        for name in ("questions", "the same again"):
            call_command("add_corpus", name, str(collection))

        known = facts()

        assert known.corpus in {"questions", "the same again"}
        assert known.corpus_share > 0.6

    def test_may_have_blank_lines_between_its_texts(self, tmp_path: Path) -> None:
        file = tmp_path / "spaced.txt"
        file.write_text("\n\n".join(question(number) for number in range(50)) + "\n \n")

        call_command("add_corpus", "questions", str(file))

        assert Corpus.objects.get().texts == 50

    def test_of_a_file_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.jsonl"
        broken.write_text('{"prompt": "Why?"}\n{"prompt": ')

        with pytest.raises(CommandError, match=r"nowhere\.txt cannot be read: No such file or directory"):
            call_command("add_corpus", "questions", str(tmp_path / "nowhere.txt"))
        with pytest.raises(CommandError, match="line 2: it is not JSON: it ends too early"):
            call_command("add_corpus", "questions", str(broken))

        assert not Corpus.objects.exists()

    def test_is_read_from_the_column_that_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "odd.jsonl"
        file.write_text(json.dumps({"frage": " ".join(f"wort{number}" for number in range(400))}))

        with pytest.raises(CommandError, match="line 1 has no text in prompt"):
            call_command("add_corpus", "questions", str(file))
        call_command("add_corpus", "questions", str(file), column=["frage"])

        assert Corpus.objects.get().texts == 1


@pytest.mark.django_db
class TestRecognising:
    def test_says_nothing_of_a_few_runs(self, collection: Path) -> None:
        call_command("add_corpus", "questions", str(collection))
        some = list(CorpusShingle.objects.values_list("digest", flat=True)[:40])

        assert recognise_corpora({1: some[:10], 2: some}) == {2: {"corpus": "questions", "corpus_share": 1.0}}

    def test_of_texts_too_short_to_match_is_refused_and_leaves_what_there_was(
        self, collection: Path, tmp_path: Path
    ) -> None:
        call_command("add_corpus", "mine", str(collection))
        before = Corpus.objects.get().runs
        file = tmp_path / "short.txt"
        file.write_text("Hello there.\n")

        with pytest.raises(CommandError, match="mine would match nothing"):
            call_command("add_corpus", "mine", str(file))

        assert Corpus.objects.get().runs == CorpusShingle.objects.count() == before

    def test_asks_nothing_where_no_corpus_is_known(self) -> None:
        assert recognise_corpora({1: [1, 2, 3]}) == {}
