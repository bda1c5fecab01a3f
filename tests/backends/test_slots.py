"""Slots of memory: the first that is free throughout a life, however many there are."""

from __future__ import annotations

import random

import pytest

from dslc.backends.plan.slots import Life, colour
from dslc.tensor_type import DType, TensorType


def _life(elements: int, first: int, last: int, kept: bool = False) -> Life:
    return Life(TensorType(DType.F32, (elements,)), first, last, kept)


def _apart(a: Life, b: Life) -> bool:
    return a.last < b.first or b.last < a.first


@pytest.mark.parametrize("seed", range(20))
def test_a_life_gets_the_first_slot_that_is_free_throughout(seed: int) -> None:
    rng = random.Random(seed)
    lives: list[Life] = []
    for _ in range(rng.randint(1, 60)):
        first = rng.randint(0, 30)
        lives.append(_life(rng.randint(1, 4), first, first + rng.randint(0, 12)))
    slots, count, kept = colour(lives)
    # The largest come first, then the earliest; each was offered the slots in turn.
    order = sorted(range(len(lives)), key=lambda i: (-lives[i].type.shape[0], lives[i].first, i))
    for place, i in enumerate(order):
        fits = [all(_apart(lives[i], lives[j]) for j in order[:place] if slots[j] == slot) for slot in range(count)]
        assert slots[i] == fits.index(True)
    assert count == max(slots) + 1
    assert kept == 0


def test_kept_memory_is_counted_apart_and_never_shared() -> None:
    lives = [_life(4, 0, 0, kept=True), _life(4, 0, 0), _life(4, 5, 5, kept=True), _life(4, 5, 5)]
    assert colour(lives) == ([0, 0, 1, 0], 1, 2)


def test_nothing_needs_no_memory() -> None:
    assert colour([]) == ([], 0, 0)
