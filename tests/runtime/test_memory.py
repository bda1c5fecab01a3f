"""Where buffers lie: never two at one place at one time, aligned, and hardly more memory than is in use at once."""

from __future__ import annotations

import random

import pytest

from dslc_runtime.memory import Life, aligned, in_a_row, most_live, shared


def _lives(rng: random.Random, many: int) -> list[Life]:
    lives: list[Life] = []
    for _ in range(many):
        first = rng.randint(-1, 40)
        lives.append((rng.choice([0, 4, 8, 12, 63, 64, 100, rng.randint(0, 5000)]), first, first + rng.randint(0, 15)))
    return lives


@pytest.mark.parametrize("seed", range(30))
def test_buffers_in_use_together_are_apart_and_within_the_memory(seed: int) -> None:
    rng = random.Random(seed)
    lives = _lives(rng, rng.randint(1, 80))
    offsets, total = shared(lives)
    for i, (size, first, last) in enumerate(lives):
        assert 0 <= offsets[i] <= total - size
        for j, (other, start, end) in enumerate(lives[:i]):
            if first <= end and start <= last:
                assert offsets[i] + size <= offsets[j] or offsets[j] + other <= offsets[i]


@pytest.mark.parametrize("seed", range(10))
def test_what_fills_many_cache_lines_starts_at_one_and_the_rest_lies_as_processors_read_it(seed: int) -> None:
    lives = _lives(random.Random(seed), 50)
    for (size, _, _), offset in zip(lives, shared(lives)[0], strict=True):
        assert offset % (64 if size >= 1024 else 16) == 0
    assert aligned(100).ctypes.data % 64 == 0


@pytest.mark.parametrize("seed", range(10))
def test_what_is_live_at_most_is_the_largest_sum_at_any_time(seed: int) -> None:
    lives = _lives(random.Random(seed), 40)
    sums = [sum(size for size, first, last in lives if first <= time <= last) for time in range(-1, 60)]
    assert most_live(lives) == max(sums)


def test_a_small_buffer_takes_the_memory_that_a_large_one_leaves() -> None:
    large, small, small_too, over = (640, 0, 3), (320, 4, 6), (320, 5, 7), (128, 0, 7)
    assert shared([large, small, small_too, over]) == ([0, 0, 320, 640], 768)


def test_the_order_that_wastes_less_memory_is_taken() -> None:
    """By size alone, the buffer that is in use throughout lies in between, and the last one fits on neither side of it."""
    lives = [(256, 0, 1), (192, 2, 9), (192, 0, 9), (128, 0, 1), (256, 2, 9), (128, 3, 3)]
    offsets, total = shared(lives)
    assert total <= 1.1 * most_live(lives)
    assert len(offsets) == len(lives)


def test_buffers_in_a_row_share_nothing() -> None:
    assert in_a_row([4, 64, 65, 0, 1]) == ([0, 64, 128, 256, 256], 320)


def test_nothing_needs_no_memory() -> None:
    assert shared([]) == ([], 0)
    assert in_a_row([]) == ([], 0)
