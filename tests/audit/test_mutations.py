"""Whoever changes the log is found, given a checkpoint that was taken before: all of many random changes. Pure."""

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from governance.audit.notes import LogKey
from governance.audit.queries import check_entries
from governance.audit.stillwatch_verify import LogFaultError, open_checkpoint, verify_folder
from governance.audit.verification import HeadCheck
from tests.audit.mutations import (
    MUTATIONS,
    Log,
    chain_again,
    forge_folder,
    make_log,
    mutate,
    mutate_folder,
    publish_to_folder,
    restore_backup,
)
from tests.measuring import Measured

KEY: Final = LogKey("log.example.com", "B" * 43)
SIZE: Final = 40


def heads(folder: Path) -> list[tuple[int, bytes]]:
    opened = open_checkpoint((folder / "checkpoint").read_text(), [KEY.verifier])
    return [(opened.size, opened.root)]


def is_found(log: Log, kept: list[tuple[int, bytes]]) -> bool:
    """Whether `audit_verify` would find it, from the entries and the checkpoint alone."""
    check = HeadCheck(kept)
    try:
        for checked in check_entries(log):
            if checked.fault and checked.fault.breaks_chain:
                return True
            check.add(checked.leaf)
        check.finish()
    except LogFaultError:
        return True
    return False


def is_found_outside(folder: Path, kept: list[str]) -> bool:
    try:
        verify_folder(folder, [KEY.verifier], kept)
    except LogFaultError:
        return True
    return False


def count_missed(many: int, folder: Path, seed: int) -> Counter[str]:
    """Change the entries of a log so many times; return which changes were not found."""
    log, chance, missed = make_log(SIZE), random.Random(seed), Counter[str]()
    publish_to_folder(log, folder, [KEY], sizes=[SIZE])
    kept = heads(folder)
    assert not is_found(log, kept)
    for _ in range(many):
        name, forged = mutate(log, chance)
        missed[name] += not is_found(forged, kept)
    assert {*missed} == {mutation.__name__ for mutation in MUTATIONS}
    return missed


def test_every_change_of_an_entry_is_found(tmp_path: Path, measured: Measured) -> None:
    missed = count_missed(1_600, tmp_path, seed=7)

    assert not missed.total(), missed
    measured(f"the log: {1_600:,} changes of entries, {missed.total()} missed")


@pytest.mark.long
def test_every_one_of_100_000_changes_is_found(tmp_path: Path, measured: Measured) -> None:
    missed = count_missed(100_000, tmp_path, seed=11)

    assert not missed.total(), missed
    measured(f"the log: {100_000:,} changes of entries, {missed.total()} missed")


@pytest.mark.parametrize("change", [chain_again, restore_backup])
def test_what_is_chained_again_is_found_by_the_checkpoint_alone(tmp_path: Path, change: object) -> None:
    """The chain of hashes fits, since it has no key: so it alone would not be enough."""
    log, chance = make_log(SIZE), random.Random(3)
    publish_to_folder(log, tmp_path, [KEY], sizes=[SIZE])
    forged = chain_again(log, chance) if change is chain_again else restore_backup(log, chance)

    assert not [one for one in check_entries(forged) if one.fault and one.fault.breaks_chain]
    assert is_found(forged, heads(tmp_path))


@pytest.mark.parametrize("seed", range(4))
def test_every_change_of_a_published_file_is_found_outside(tmp_path: Path, seed: int) -> None:
    log, chance, folder = make_log(300), random.Random(seed), tmp_path / "log"
    publish_to_folder(log, tmp_path / "whole", [KEY], sizes=[300])
    assert not is_found_outside(tmp_path / "whole", [])

    missed = []
    for _ in range(75):
        shutil.copytree(tmp_path / "whole", folder)
        done = mutate_folder(folder, chance)
        missed += [] if is_found_outside(folder, []) else [done]
        shutil.rmtree(folder)

    assert missed == []


@pytest.mark.parametrize("seed", range(4))
def test_another_log_in_the_folder_is_found_outside(tmp_path: Path, seed: int) -> None:
    log, chance, folder = make_log(SIZE), random.Random(seed), tmp_path / "log"
    publish_to_folder(log, tmp_path / "whole", [KEY], sizes=[SIZE])

    missed = []
    for _ in range(25):
        shutil.copytree(tmp_path / "whole", folder)
        done = forge_folder(log, folder, chance)
        missed += [] if is_found_outside(folder, []) else [done]
        shutil.rmtree(folder, ignore_errors=True)

    assert missed == []


def test_a_folder_that_was_put_back_is_found_by_a_checkpoint_that_was_kept(tmp_path: Path) -> None:
    log = make_log(300)
    publish_to_folder(log, tmp_path / "now", [KEY], sizes=[200, 300])
    publish_to_folder(log, tmp_path / "before", [KEY], sizes=[200])
    kept = (tmp_path / "now/checkpoint").read_text()

    assert not is_found_outside(tmp_path / "before", [])
    assert is_found_outside(tmp_path / "before", [kept])


def test_the_holder_of_the_key_is_found_by_a_checkpoint_that_was_kept(tmp_path: Path) -> None:
    log = make_log(300)
    publish_to_folder(log, tmp_path / "now", [KEY], sizes=[200, 300])
    kept = (tmp_path / "now/checkpoints/200").read_text()
    publish_to_folder(make_log(300, seed=5), tmp_path / "forged", [KEY], sizes=[300])

    assert not is_found_outside(tmp_path / "forged", [])
    with pytest.raises(LogFaultError, match="entries 1 to 200 are not those of the signed checkpoint of 200"):
        verify_folder(tmp_path / "forged", [KEY.verifier], [kept])
