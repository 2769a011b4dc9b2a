"""Proofs about the tree of the log: that an entry is in it, and that a tree begins with an earlier one.

Pure. Proofs are made as RFC 6962, section 2.1, says and verified as RFC 9162, sections 2.1.3.2 and 2.1.4.2. The first
entry has index 0. `node(height, index)` returns the hash of the complete subtree over the 2**height entries from
index * 2**height on.
"""

from collections.abc import Callable, Sequence

from governance.audit.stillwatch_verify import NOTHING, node_hash

Node = Callable[[int, int], bytes]


def range_head(start: int, end: int, node: Node) -> bytes:
    """Return the head of the subtree over the entries from `start` to before `end`, of a tree that has it."""
    if start == end:
        return NOTHING
    many = end - start
    if many & (many - 1) == 0:
        return node(many.bit_length() - 1, start // many)
    middle = start + _split(many)
    return node_hash(range_head(start, middle, node), range_head(middle, end, node))


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the hashes that lead from the entry to the head of the tree of this size.

    Raises ValueError for an entry that the tree does not have.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} entries has none with index {index}.")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_head(middle, end, node))
            end = middle
        else:
            proof.append(range_head(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return the hashes that lead from the head of the tree of size `old` to that of size `new`.

    Raises ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} entries does not begin with one of {old}.")
    if old in {0, new}:
        return []
    proof, start, end, is_known = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_head(middle, end, node))
            end = middle
        else:
            proof.append(range_head(start, middle, node))
            start, is_known = middle, False
    if not is_known:
        proof.append(range_head(start, end, node))
    return proof[::-1]


def is_included(entry_hash: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> bool:
    """Return True if the proof leads from the hash of the entry to the head of the tree."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, entry_hash
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            place, last = _up_to_left_child(place, last)
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == head


def is_consistent(old: int, new: int, old_head: bytes, new_head: bytes, proof: Sequence[bytes]) -> bool:
    """Return True if the proof leads from the head of the tree of size `old` to that of size `new`."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and (old_head == NOTHING if old == 0 else old_head == new_head)
    steps = [old_head, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    of_old = of_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            of_old, of_new = node_hash(step, of_old), node_hash(step, of_new)
            place, last = _up_to_left_child(place, last)
        else:
            of_new = node_hash(of_new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and of_old == old_head and of_new == new_head


def _split(many: int) -> int:
    """The largest power of two below `many`."""
    return 1 << (many - 1).bit_length() - 1


def _up_to_left_child(place: int, last: int) -> tuple[int, int]:
    """Pass the levels at which the subtree has no neighbour on its right."""
    while place & 1 == 0 and place != 0:
        place, last = place >> 1, last >> 1
    return place, last
