"""Columns added back to the images they are of: the adjoint of making them.

NumPy takes 80 to 100 ns to begin a row of elements that it adds and whose neighbours lie elsewhere, but 15 to begin one that it
copies. So columns that lie apart from each other are copied to *lines*, which are laid out as the images are and are 0 in between;
lines are added to images in rows as long as these are. That takes a third of the time of adding columns where they belong.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dslc_runtime.kernels.columns import COPY_ELEMENT, COPY_RUN, Windows, divisors, product_cost, windows_of
from dslc_runtime.kernels.kernel import Array
from dslc_runtime.kernels.steps import Step
from dslc_runtime.kernels.windows import Ints

#: Elements of all arrays that are in use at a time: more than of products alone, as lines have to be long.
TOGETHER = 3 << 16

_ADD_ELEMENT = 0.25  # nanoseconds, to add one where rows are long; see `columns` for what they are for


def windows_to_add(kernel: Ints, y: Ints, stride: Ints, dilation: Ints, images: Ints) -> Windows:
    """The windows on `images`, over one place or several, whose columns are the quickest to make of `y` and to add back.

    Args:
        kernel, stride, dilation: those of the convolution.
        y: the shape of its results, `[batch, *places, filters]`.
        images: the shape of its padded images, `[batch, *sizes, channels]`.
    """
    _, *places, filters = y
    numbers = divisors(places[-1]) if dilation[-1] == 1 < prod(kernel) else [1]
    found = [windows_of(kernel, tuple(places), stride, dilation, (1,) * len(kernel), number) for number in numbers]
    return min(found, key=lambda windows: _cost(windows, images, filters))


def _cost(windows: Windows, images: Ints, filters: int) -> float:
    """Nanoseconds to multiply, to copy and to add."""
    batch, *_, last, channels = images
    rows, taps = batch * prod(windows.places), channels * prod(windows.window)
    turns = prod(windows.window[:-1])
    copied = rows * (turns * COPY_RUN + taps * COPY_ELEMENT)
    added = _between(windows) * turns * batch * prod(windows.places[:-1]) * last * channels * _ADD_ELEMENT
    return product_cost(rows, taps, windows.several * filters) + copied + added


def lines_shape(windows: Windows, image: Ints) -> Ints:
    """The shape of the lines for a padded image: those of its rows that a tap meets, the last axis and channels as one."""
    *_, last, channels = image
    return (*windows.places[:-1], last * channels)


def add_back(windows: Windows, images: Array, columns: Array, lines: Array) -> Iterator[Step]:
    """The steps that add columns `[rows, taps]` to padded images.

    The taps on the last axis lie beside each other, and are copied together, unless they are dilated.
    """
    channels, axes = images.shape[-1], len(windows.window)
    split = columns.reshape((len(images), *windows.places, *windows.window, channels))
    rows = images.reshape((*images.shape[:-2], -1))
    reach, jump, every = windows.dilation[-1], windows.stride[-1], _between(windows)
    width = windows.window[-1] if reach == 1 else 1
    for tap in range(0, windows.window[-1], width):
        for first in range(min(every, windows.places[-1])):
            start = (first * jump + tap * reach) * channels
            met = split[(slice(None),) * axes + (slice(first, None, every), ..., slice(tap, tap + width), slice(None))]
            yield from _add_runs(windows, rows, met, lines, start, every * jump * channels)


def _between(windows: Windows) -> int:
    """How far apart windows are that do not meet on the last axis, in places."""
    return -(-windows.window[-1] // windows.stride[-1]) if windows.dilation[-1] == 1 else 1


def _add_runs(windows: Windows, rows: Array, met: Array, lines: Array, start: int, pitch: int) -> Iterator[Step]:
    """Add what does not meet on the last axis: runs of elements from `start` on, one every `pitch`."""
    axes = len(windows.window)
    number, run = met.shape[axes], prod(met.shape[-2:])
    placed = as_strided(
        lines[..., start:],
        (*lines.shape[:-1], number, run),
        (*lines.strides[:-1], pitch * lines.itemsize, lines.itemsize),
    )
    if number > 1 and number * run < lines.shape[-1]:
        yield partial(lines.fill, 0)
    for taps in np.ndindex(*windows.window[:-1]):
        given = met[(slice(None),) * (axes + 1) + taps].reshape(placed.shape)
        target = rows[(slice(None), *map(_places, taps, windows.dilation, windows.places, windows.stride))]
        if number == 1:
            single = target[..., start : start + run]
            yield partial(np.add, single, given[..., 0, :], single)
        else:
            yield partial(np.copyto, placed, given)
            yield partial(np.add, target, lines, target)


def _places(tap: int, dilation: int, places: int, stride: int) -> slice:
    """Where one tap of all windows is on an axis."""
    return slice(tap * dilation, tap * dilation + (places - 1) * stride + 1, stride)
