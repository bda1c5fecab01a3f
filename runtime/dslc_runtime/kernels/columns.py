"""What convolutions as products of matrices share: windows on images, their columns, and which form of them is the quickest.

A row of a matrix of *columns* holds what lies under the window at one place. They are many times as large as the image, so they
are made for a few images at a time, which stay in the second cache, and never kept.

Copying them costs as much as the product where images have few channels. There are two ways around it:

- a window *over several places* that follow each other on the last axis: its weight has a band for each place and zeros elsewhere.
  It costs multiplications by zero, but fewer and longer rows are copied, and the product has more columns, which it needs;
- columns that *lie down*: each tap of each channel with all its places beside each other.

Where places lie apart, the windows from starts that follow each other on the first axis overlap. They share *tall* columns, of
which each takes its part as it lies: a matrix whose rows are further apart than they are long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dslc_runtime.kernels.kernel import Array
from dslc_runtime.kernels.steps import Step, Work
from dslc_runtime.kernels.windows import Ints, padded_sizes

#: Elements of columns and of the product that are made at a time: they and what they are made of stay in the second cache.
_ELEMENTS = 5 << 14

# Nanoseconds, measured on one core with AVX-512. They choose a form and have no influence on what it gives.
COPY_RUN = 8.0  # to begin a row of elements to copy
COPY_ELEMENT = 0.12  # to copy one of them
_TURNED = 1.0  # to copy one to where channels are last
_FLOP = 0.011  # of a product with many columns
_FEW = 16  # a product with so many columns takes twice as long for each


@dataclass(frozen=True, slots=True)
class Windows:
    """Where windows lie on padded images with channels last: `start + place * stride` for the places of each start.

    Attributes:
        window: taps on each axis, those of several places included.
        places: how many windows there are on each axis.
        stride: how far from one to the next.
        dilation: how far apart taps are.
        starts: where the first window is; each start has an image of results of its own.
        several: how many places of a convolution each window is over.
        step: how far apart these are.
    """

    window: Ints
    places: Ints
    stride: Ints
    dilation: Ints
    starts: tuple[Ints, ...]
    several: int
    step: int

    @property
    def width(self) -> int:
        """Taps on the last axis under one place."""
        return self.window[-1] - (self.several - 1) * self.step

    def view(self, images: Array, start: Ints) -> Array:
        """All windows from one start as a view of some padded images: `[batch, *places, *window, channels]`."""
        batch, *steps, channel = images.strides
        along = (step * jump for step, jump in zip(steps, self.stride, strict=True))
        taps = (step * reach for step, reach in zip(steps, self.dilation, strict=True))
        origin = images[(slice(None), *(slice(at, None) for at in start))]
        shape = (images.shape[0], *self.places, *self.window, images.shape[-1])
        return as_strided(origin, shape, (batch, *along, *taps, channel))

    def tall(self, share: int) -> Windows:
        """Windows over those from `share` starts that follow each other on the first axis, from the first of these."""
        first, *others = self.window
        step = self.stride[0] // share
        starts = tuple(start for start in self.starts if start[0] == 0)
        return replace(self, window=(first + (share - 1) * step, *others), starts=starts)

    def weights(self, channels: int, filters: int, dtype: np.dtype[Any], work: Work) -> Array:
        """Memory for a weight as a matrix `[taps, places * filters]`. What is between the bands of places is 0, and stays so."""
        shape = (channels * prod(self.window), self.several * filters)
        return np.zeros(shape, dtype) if self.several > 1 else work.array(dtype, *shape)

    def bands(self, weights: Array, channels: int, down: bool) -> list[Array]:
        """The weight of each place in a matrix `[taps, places * filters]`, as views `[filters, channels, *kernel]`."""
        filters = weights.shape[1] // self.several
        if down:
            return [
                np.moveaxis(weights.reshape((self.window[0], channels, *self.window[1:], filters)), (-1, 1), (0, 1))
            ]
        split = weights.reshape((*self.window, channels, self.several, filters))
        bands = (split[..., at * self.step : at * self.step + self.width, :, at, :] for at in range(self.several))
        return [np.moveaxis(band, (-1, -2), (0, 1)) for band in bands]


def windows_of(kernel: Ints, places: Ints, stride: Ints, dilation: Ints, apart: Ints, several: int = 1) -> Windows:
    """The windows over so many places of a convolution that give its results from each start."""
    jumps = tuple(step * width for step, width in zip(stride, apart, strict=True))
    starts = tuple(tuple(at * step for at, step in zip(tap, stride, strict=True)) for tap in np.ndindex(*apart))
    *first, last = places
    wide = (*kernel[:-1], kernel[-1] + (several - 1) * jumps[-1])
    return Windows(
        wide, (*first, last // several), (*jumps[:-1], jumps[-1] * several), dilation, starts, several, jumps[-1]
    )


def by_start(y: Array, apart: Ints) -> Array:
    """With an axis of starts in front, also where there is one."""
    return y if prod(apart) > 1 else y[None]


# ---------------------------------------------------------------------------------------------- the quickest form


def divisors(places: int) -> list[int]:
    """How many places a window may be over, of so many on the last axis."""
    return [number for number in range(1, places + 1) if places % number == 0] or [1]


def sharing(kernel: Ints, stride: Ints, dilation: Ints, apart: Ints) -> int:
    """How many starts share tall columns."""
    return apart[0] if len(kernel) > 1 and dilation[0] == 1 and stride[0] < kernel[0] else 1


def several_places(kernel: Ints, y: Array, stride: int, dilation: Ints, channels: int, copied: float = 1.0) -> int:
    """How many places a window should be over, so that copying some share of columns and multiplying them takes least."""
    if dilation[-1] != 1 or prod(kernel) == 1:
        return 1
    return min(divisors(y.shape[-2]), key=lambda several: _cost(kernel, y, stride, channels, several, copied))


def _cost(kernel: Ints, y: Array, stride: int, channels: int, several: int, copied: float) -> float:
    rows = y[..., 0].size / several
    taps = prod(kernel[:-1]) * (kernel[-1] + (several - 1) * stride) * channels
    copying = rows * prod(kernel[:-1]) * COPY_RUN + rows * taps * COPY_ELEMENT
    return copied * copying + product_cost(rows, taps, several * y.shape[-1])


def product_cost(rows: float, taps: int, columns: int) -> float:
    """Nanoseconds of the product of columns and weights."""
    return 2 * rows * taps * (columns + _FEW) * _FLOP


def lie_down(kernel: Ints, x: Array, y: Array, stride: int, dilation: Ints, several: int, copied: float = 1.0) -> bool:
    """Whether columns that lie down are quicker to copy, or all that can be done quickly, than windows over some places."""
    taps, rows = prod(kernel) * x.shape[-1], y[..., 0].size
    lying = copied * rows * taps * (COPY_RUN / max(1, y.shape[-2]) + COPY_ELEMENT)
    turned = 0.0 if is_last(x) else x.size * _TURNED
    standing = turned + _cost(kernel, y, stride, x.shape[-1], several, copied)
    if dilation[-1] != 1:
        standing += copied * rows * taps * COPY_RUN / x.shape[-1]
    return lying + product_cost(rows, taps, y.shape[-1]) < standing


def is_last(x: Array) -> bool:
    """Whether the channels of an image, and the places on its last axis, lie side by side in memory."""
    (*_, step, channel), channels = x.strides, x.shape[-1]
    return step == channels * x.itemsize and (channels == 1 or channel == x.itemsize)


# ---------------------------------------------------------------------------------------------- columns


def most_rows(batch: int, elements: int, together: int = _ELEMENTS) -> int:
    """How many rows of the batch to work on together, given how many elements of arrays one needs."""
    return max(1, min(batch, together // max(1, elements)))


def parts(batch: int, rows: int) -> Iterator[slice]:
    """The rows of the batch that are worked on together."""
    return (slice(start, min(start + rows, batch)) for start in range(0, batch, rows))


def inside(padded: Array, pad: Ints) -> Array:
    """The images within their padding: a view."""
    axes = len(pad) // 2
    sizes = padded.shape[1:-1]
    return padded[(slice(None), *(slice(pad[axis], sizes[axis] - pad[axis + axes]) for axis in range(axes)))]


def padded_shape(rows: int, sizes: Ints, channels: int, pad: Ints) -> Ints:
    """The shape of some padded images."""
    return (rows, *padded_sizes(sizes, pad), channels)


@dataclass(frozen=True, slots=True)
class Columns:
    """How the columns of some images are made.

    Attributes:
        windows: where they are.
        copied: the windows that are copied: these, or tall ones.
        down: they lie down: `[first of window, channels, *others, batch, *places]`; else `[batch, *places, *window, channels]`.
        pad: what is put around the images.
        padded: memory for some padded images with channels last, 0 around, or None where they are used where they lie.
        memory: a flat array for the columns of some images.
        rows: how many images are worked on together.
    """

    windows: Windows
    copied: Windows
    down: bool
    pad: Ints
    rows: int
    padded: Array | None
    memory: Array

    def cleared(self) -> list[Step]:
        """The steps that make what is around the images 0."""
        return [partial(self.padded.fill, 0)] if self.padded is not None and any(self.pad) else []

    def parts(self, batch: int) -> Iterator[slice]:
        """The rows of a batch that are worked on together."""
        return parts(batch, self.rows)

    def images(self, x: Array) -> tuple[Array, list[Step]]:
        """Some images as windows are put on them, and the steps that make that."""
        if self.padded is None:
            return x, []
        padded = self.padded[: x.shape[0]]
        return padded, [partial(np.copyto, inside(padded, self.pad), x)]

    def matrices(self, images: Array) -> Iterator[tuple[int, Array, list[Step]]]:
        """For every start its number, `[rows, taps]` of its windows, and the steps to take before that is read."""
        if is_whole(self.windows, images, self.pad):
            yield 0, images.reshape((-1, images.shape[-1])), []
            return
        layer = images.shape[-1] * prod(self.windows.window[1:])
        for first in self.copied.starts:
            matrix, steps = self._matrix(images, first)
            for number, start in enumerate(self.windows.starts):
                down = start[0] - first[0]
                if start[1:] == first[1:] and 0 <= down <= self.copied.window[0] - self.windows.window[0]:
                    yield number, matrix[:, down * layer : (down + self.windows.window[0]) * layer], steps
                    steps = []

    def _matrix(self, images: Array, start: Ints) -> tuple[Array, list[Step]]:
        """`[rows, taps]` of the windows that are copied, from one start, and the steps that make it."""
        view = self.copied.view(images, start)
        axes = len(self.windows.window)
        rows, taps = prod(view.shape[: 1 + axes]), prod(view.shape[1 + axes :])
        memory = self.memory[: rows * taps]
        if not self.down:
            return memory.reshape((rows, taps)), [partial(np.copyto, memory.reshape(view.shape), view)]
        first, *others, channel = range(1 + axes, 2 + 2 * axes)
        view = view.transpose((first, channel, *others, *range(1 + axes)))
        return memory.reshape((taps, rows)).T, [partial(np.copyto, memory.reshape(view.shape), view)]


def is_whole(windows: Windows, images: Array, pad: Ints) -> bool:
    """Whether columns are the images themselves: windows of one element, one beside the other."""
    return prod(windows.window) == prod(windows.stride) == 1 and not any(pad) and images.flags.c_contiguous


def columns_of(
    x: Array, kernel: Ints, y: Array, stride: Ints, pad: Ints, dilation: Ints, apart: Ints, work: Work
) -> Columns:
    """How columns of images are made in the quickest form, for results `y`."""
    jump, channels, share = stride[-1] * apart[-1], x.shape[-1], sharing(kernel, stride, dilation, apart)
    copied = (kernel[0] + (share - 1) * stride[0]) / (share * kernel[0])
    several = several_places(kernel, y, jump, dilation, channels, copied)
    down = prod(kernel) > 1 and lie_down(kernel, x, y, jump, dilation, several, copied)
    windows = windows_of(kernel, y.shape[2:-1], stride, dilation, apart, 1 if down else several)
    tall = windows.tall(share) if share > 1 else windows
    per_image, results = channels * prod(tall.window) * prod(windows.places), prod(y.shape[2:])
    rows = most_rows(len(x), per_image + results)
    moved = any(pad) or not (down or is_last(x))
    padded = work.array(x.dtype, *padded_shape(rows, x.shape[1:-1], channels, pad)) if moved else None
    return Columns(windows, tall, down, pad, rows, padded, work.array(x.dtype, rows * per_image))
