"""Columns of convolutions: every form gives the same product, and the one that is chosen suits the shapes."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from dslc_runtime.kernels import KERNELS
from dslc_runtime.kernels.columns import Columns, columns_of, sharing, windows_of
from dslc_runtime.kernels.steps import Work

KERNEL = (3, 2)


def whole_numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(float)


@pytest.mark.parametrize("several", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("apart", [1, 2])
@pytest.mark.parametrize("down", [False, True])
def test_windows_over_several_places_give_what_windows_over_one_give(several: int, stride: int, apart: int, down: bool):
    if down and several > 1:
        pytest.skip("columns that lie down are those of one place")
    options = {"stride": (1, stride), "pad": (0,) * 4, "dilation": (1, 1)}
    x, w = whole_numbers(1, 2, 5, (6 * apart - 1) * stride + 2, 2), whole_numbers(2, 4, 2, *KERNEL)
    expected = KERNELS["conv_last"].obvious(x, w, **options, apart=(1, apart))
    y = expected if apart > 1 else expected[None]
    windows = windows_of(KERNEL, y.shape[2:-1], (1, stride), (1, 1), (1, apart), several)
    per_image = 2 * prod(windows.window) * prod(windows.places)
    columns = Columns(windows, windows, down, (0,) * 4, 2, None, np.empty(2 * per_image))
    work = Work()
    weights = windows.weights(2, 4, x.dtype, work)
    for band in windows.bands(weights, 2, down):
        band[...] = w
    for start, matrix, steps in columns.matrices(x):
        for step in steps:
            step()
        np.testing.assert_array_equal((matrix @ weights).reshape(y[start].shape), y[start])


@pytest.mark.parametrize("apart", [(2, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("down", [False, True])
def test_windows_take_their_parts_of_tall_columns(apart: tuple[int, int], stride: int, down: bool):
    options = {"stride": (stride, 1), "pad": (0,) * 4, "dilation": (1, 1)}
    x, w = whole_numbers(3, 2, (4 * apart[0] - 1) * stride + 3, 3 * apart[1] + 1, 2), whole_numbers(4, 4, 2, *KERNEL)
    y = KERNELS["conv_last"].obvious(x, w, **options, apart=apart)
    windows = windows_of(KERNEL, (4, 3), (stride, 1), (1, 1), apart)
    tall = windows.tall(sharing(KERNEL, (stride, 1), (1, 1), apart))
    assert len(tall.starts) == apart[1]
    per_image = 2 * prod(tall.window) * prod(tall.places)
    columns = Columns(windows, tall, down, (0,) * 4, 2, None, np.empty(2 * per_image))
    weights = np.empty((2 * prod(KERNEL), 4))
    windows.bands(weights, 2, down)[0][...] = w
    met: list[int] = []
    for start, matrix, steps in columns.matrices(x):
        for step in steps:
            step()
        met.append(start)
        np.testing.assert_array_equal((matrix @ weights).reshape(y[start].shape), y[start])
    assert sorted(met) == list(range(prod(apart)))


def test_windows_that_do_not_overlap_share_no_columns():
    assert sharing((3, 3), (3, 1), (1, 1), (2, 2)) == 1
    assert sharing((3,), (1,), (1,), (2,)) == 1


def chosen(images: tuple[int, ...], kernel: int, places: int, filters: int) -> tuple[int, bool]:
    """How many places a window is over, and whether columns lie down, for pooled images whose channels come first."""
    x = np.zeros((images[0], images[3], *images[1:3]), np.float32).transpose(0, 2, 3, 1)
    y = np.empty((4, images[0], places, places, filters), np.float32)
    one = (1, 1)
    made = columns_of(x, (kernel, kernel), y, one, (0,) * 4, one, (2, 2), Work())
    return made.windows.several, made.down


def test_images_with_one_channel_have_columns_that_lie_down():
    assert chosen((32, 28, 28, 1), 3, 13, 32) == (1, True)


def test_few_channels_and_filters_are_worked_out_for_several_places_at_once():
    several, down = chosen((64, 32, 32, 3), 5, 14, 6)
    assert several > 1
    assert not down


def test_many_channels_are_worked_out_place_by_place():
    assert chosen((32, 13, 13, 32), 3, 5, 64) == (1, False)


def test_memory_to_work_in_is_shared_by_kernels_and_apart_within_one():
    work = Work()
    first, second = work.array(np.dtype(np.float32), 100), work.array(np.dtype(np.float64), 7)
    assert not np.shares_memory(first, second)
    work.anew()
    third = work.array(np.dtype(np.float64), 7)
    work.anew()
    assert np.shares_memory(third, work.array(np.dtype(np.float64), 7))
    assert first.ctypes.data % 64 == second.ctypes.data % 64 == 0


def test_a_kernel_that_needs_what_the_one_before_needed_gets_the_same_memory() -> None:
    work, given = Work(), []
    for _ in range(3):
        work.anew()
        given.append([work.array(np.dtype(np.float32), count) for count in (50, 100, 20)])
    for again, once_more in zip(given[1], given[2], strict=True):
        assert again.ctypes.data == once_more.ctypes.data
