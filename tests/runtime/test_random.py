"""Random streams: the same bits whatever runs first, the right distributions, and no surprise between types."""

from __future__ import annotations

import numpy as np
import pytest

from dslc_runtime.random import DrawSpec, can_begin_inside, drawing, fill, generator, permutation, stream_key

MASK = DrawSpec("bernoulli", "net.drop/y/0", {"p": 0.8, "value": 1.25})


def drawn(spec: DrawSpec, seed: int, step: int, shape=(32, 128), dtype=np.float32) -> np.ndarray:
    out = np.full(shape, 77, dtype)
    fill(spec, seed, step, out)
    return out


def test_a_draw_depends_on_nothing_that_ran_before() -> None:
    out = np.empty((32, 128), np.float32)
    draw = drawing(MASK, 3, out)
    forwards = {}
    for step in range(1, 9):
        draw(step)
        forwards[step] = out.copy()
    for step in (8, 2, 5, 1, 7):
        draw(step)
        assert out.tobytes() == forwards[step].tobytes()
        assert drawn(MASK, 3, step).tobytes() == forwards[step].tobytes()


@pytest.mark.parametrize("dist", ["uniform", "normal"])
def test_continuous_draws_depend_on_nothing_that_ran_before(dist: str) -> None:
    spec = DrawSpec(dist, "s", {"low": -1, "high": 3, "mean": 1, "std": 2})
    out = np.empty((7, 3), np.float32)  # an odd count leaves half a word behind in the generator
    draw = drawing(spec, 0, out)
    draw(1)
    draw(2)
    second = out.copy()
    draw(9)
    draw(2)
    assert out.tobytes() == second.tobytes()


def test_seed_stream_and_step_each_change_the_draw() -> None:
    base = drawn(MASK, 0, 1)
    assert not np.array_equal(base, drawn(MASK, 1, 1))
    assert not np.array_equal(base, drawn(MASK, 0, 2))
    assert not np.array_equal(base, drawn(DrawSpec("bernoulli", "net.drop/y/1", MASK.options), 0, 1))


def test_names_are_delimited_in_a_key() -> None:
    assert stream_key(0, "a", "bc") != stream_key(0, "ab", "c")
    assert stream_key(1, "2") != stream_key(12, "")
    assert stream_key(-1, "x") != stream_key(1, "x")


def test_the_bits_of_a_stream_are_frozen() -> None:
    """These are a promise: a change here changes every seeded training."""
    assert stream_key(7, "net.drop", "0") == 0x5D349BF73BB25C5CB4B3886728C7332B
    assert permutation(8, 7, "shuffle", step=1).tolist() == [2, 7, 3, 4, 0, 5, 6, 1]
    assert np.flatnonzero(drawn(MASK, 7, 3, (16,))).tolist() == [0, 2, 4, 5, 7, 8, 9, 10, 11, 12, 14]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.bool_])
def test_a_bernoulli_draw_holds_only_zero_and_the_value(dtype: type) -> None:
    spec = DrawSpec("bernoulli", "s", {"p": 0.25, "value": 1})
    out = drawn(spec, 0, 1, (1001,), dtype)
    assert set(np.unique(out).tolist()) <= {0, 1}
    assert 150 < np.count_nonzero(out) < 350


def test_bernoulli_hits_its_probability() -> None:
    out = drawn(MASK, 5, 1, (1000, 1000))
    kept = np.count_nonzero(out) / out.size
    assert abs(kept - round(0.8 * 65536) / 65536) < 4 * np.sqrt(0.8 * 0.2 / out.size)
    assert np.unique(out).tolist() == [0, 1.25]


@pytest.mark.parametrize(("p", "count"), [(0.0, 0), (1.0, 50), (1e-9, 0)])
def test_certain_bernoulli_draws_need_no_luck(p: float, count: int) -> None:
    out = drawn(DrawSpec("bernoulli", "s", {"p": p, "value": 2}), 0, 1, (50,))
    assert np.count_nonzero(out) == count


def test_moments_of_uniform_and_normal_draws() -> None:
    u = drawn(DrawSpec("uniform", "s", {"low": -2, "high": 4}), 1, 1, (400_000,))
    assert u.min() >= -2
    assert u.max() <= 4
    assert abs(u.mean() - 1) < 0.02
    assert abs(u.std() - 6 / np.sqrt(12)) < 0.02
    z = drawn(DrawSpec("normal", "s", {"mean": 3, "std": 0.5}), 1, 1, (400_000,))
    assert abs(z.mean() - 3) < 0.005
    assert abs(z.std() - 0.5) < 0.005


@pytest.mark.parametrize("spec", [MASK, DrawSpec("uniform", "s", {"low": 0, "high": 1})])
def test_memory_that_is_not_contiguous_gets_the_same_draw(spec: DrawSpec) -> None:
    wide = np.full((6, 10), 5, np.float32)
    fill(spec, 2, 4, wide[:, ::2])
    assert np.array_equal(wide[:, ::2], drawn(spec, 2, 4, (6, 5)))
    assert (wide[:, 1::2] == 5).all()


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (5,)])
def test_every_shape_can_be_drawn(shape: tuple[int, ...]) -> None:
    for spec in (MASK, DrawSpec("normal", "s", {"mean": 0, "std": 1}), DrawSpec("uniform", "s", {"low": 1, "high": 2})):
        assert np.isfinite(drawn(spec, 0, 1, shape)).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("spec", [MASK, DrawSpec("uniform", "s", {"low": -1, "high": 3})], ids=lambda spec: spec.dist)
def test_a_draw_that_begins_inside_another_is_that_part_of_it(spec: DrawSpec, dtype: type) -> None:
    whole = drawn(spec, 2, 4, (1001,), dtype)
    assert can_begin_inside(spec)
    for first in (0, 1, 3, 4, 7, 8, 15, 16, 17, 40, 960):
        out = np.full(41, 77, dtype)
        draw = drawing(spec, 2, out, first)
        for step in (9, 4):
            draw(step)
        assert out.tobytes() == whole[first : first + 41].tobytes()


def test_a_normal_draw_begins_at_its_first_element() -> None:
    spec = DrawSpec("normal", "s", {"mean": 0, "std": 1})
    assert not can_begin_inside(spec)
    with pytest.raises(ValueError, match="begins at its first element"):
        drawing(spec, 0, np.empty(3), 8)


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="cauchy"):
        fill(DrawSpec("cauchy", "s", {}), 0, 1, np.empty(3))


def test_shuffles_are_permutations_that_differ_by_epoch() -> None:
    first, second = (permutation(1000, 1, "shuffle", step=epoch) for epoch in (1, 2))
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, permutation(1000, 1, "shuffle", step=1))


def test_masks_of_different_streams_are_uncorrelated() -> None:
    def mask(stream: str) -> np.ndarray:
        return drawn(DrawSpec("bernoulli", stream, {"p": 0.5, "value": 1}), 0, 1, (100_000,))

    a, b = mask("a"), mask("b")
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.015


def test_a_generator_starts_at_its_step() -> None:
    assert generator(1, "a", step=2).random() == generator(1, "a", step=2).random()
    assert generator(1, "a", step=2).random() != generator(1, "a", step=3).random()
