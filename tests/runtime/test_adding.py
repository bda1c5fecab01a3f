"""Columns added back: every element of an image gets the sum of what lies in the columns where it was copied to."""

from __future__ import annotations

import numpy as np
import pytest

from dslc_runtime.kernels.adding import add_back, lines_shape, windows_to_add
from dslc_runtime.kernels.columns import Windows, windows_of

BATCH, CHANNELS = 2, 3


def images_under(windows: Windows) -> tuple[int, ...]:
    """A shape of images in which all windows lie, with a row and a column to spare."""
    axes = zip(windows.window, windows.places, windows.stride, windows.dilation, strict=True)
    sizes = ((places - 1) * stride + (window - 1) * dilation + 2 for window, places, stride, dilation in axes)
    return (BATCH, *sizes, CHANNELS)


@pytest.mark.parametrize("several", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("last", [4, 8])
def test_each_element_gets_the_sum_of_its_columns(several: int, stride: int, dilation: int, last: int):
    if dilation > 1 and several > 1:
        pytest.skip("dilated windows are over one place")
    windows = windows_of((3, 2), (5, last), (2, stride), (1, dilation), (1, 1), several)
    images = np.zeros(images_under(windows))
    numbers = np.arange(images.size).reshape(images.shape)
    columns = np.random.default_rng(0).integers(-9, 10, windows.view(numbers, (0, 0)).shape).astype(float)
    expected = np.zeros(images.size)
    np.add.at(expected, windows.view(numbers, (0, 0)).reshape(-1), columns.reshape(-1))
    lines = np.full((BATCH, *lines_shape(windows, images.shape[1:])), np.nan)
    for step in add_back(windows, images, columns, lines):
        step()
    np.testing.assert_array_equal(images, expected.reshape(images.shape))


def test_few_channels_are_added_for_several_places_at_once():
    assert windows_to_add((5, 5), (64, 10, 10, 16), (1, 1), (1, 1), (64, 14, 14, 6)).several == 5


def test_many_channels_are_added_place_by_place():
    assert windows_to_add((3, 3), (32, 10, 10, 64), (1, 1), (1, 1), (32, 13, 13, 32)).several == 1


def test_dilated_windows_are_over_one_place():
    assert windows_to_add((5, 5), (64, 10, 10, 16), (1, 1), (1, 2), (64, 18, 18, 6)).several == 1
