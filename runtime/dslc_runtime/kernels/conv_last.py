"""Kernels: convolution with channels last and its adjoints, as products of matrices.

A row of a matrix of *columns* holds what lies under the window at one place. A convolution is then one product, the gradient
of its weight another, and that of its image a product whose rows are added where they came from. Columns are many times as
large as the image, so they are made for a few images at a time and never kept: making them anew for the gradient costs less
than reading them from memory.

Their order is chosen by how many elements lie in a row when they are copied, which is what copying costs. Where there are
enough channels, a row has the taps in order and the channels of each. Images with few channels, or with channels first, have
their columns lie down: each tap of each channel with all its places, in the order of the weight itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dslc_runtime.kernels.conv import CONV
from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.steps import Step, Work, bound_and_run, in_order
from dslc_runtime.kernels.windows import Ints, padded_sizes

#: Elements of columns that are made at a time: they, what they are made of and the product stay in the second cache.
_ELEMENTS = 1 << 18

# ---------------------------------------------------------------------------------------------- what it means


def together(y: Array, apart: Ints, sizes: Ints) -> Array:
    """Places apart -> channels first and all places up to `sizes`, 0 where there is no window."""
    if prod(apart) == 1:
        return np.moveaxis(y, -1, 1)
    axes, (_, batch, *windows, channels) = len(apart), y.shape
    split = y.reshape((*apart, batch, *windows, channels))
    pairs = [axis for pair in zip(range(axes + 1, 2 * axes + 1), range(axes), strict=True) for axis in pair]
    whole = split.transpose((axes, 2 * axes + 1, *pairs))
    inside = tuple(number * width for number, width in zip(windows, apart, strict=True))
    out = np.zeros((batch, channels, *sizes), y.dtype)
    out[(..., *map(slice, inside))] = whole.reshape((batch, channels, *inside))
    return out


def taken_apart(y: Array, apart: Ints) -> Array:
    """Channels first -> places apart; those that are in no window are left out."""
    if prod(apart) == 1:
        return np.moveaxis(y, 1, -1)
    sizes = y.shape[2:]
    taps = [
        y[(..., *(slice(at, size // width * width, width) for at, size, width in zip(tap, sizes, apart, strict=True)))]
        for tap in np.ndindex(*apart)
    ]
    return np.moveaxis(np.stack(taps), 2, -1)


def _natural(sizes: Ints, window: Ints, stride: Ints, pad: Ints, dilation: Ints) -> Ints:
    """How many places a window has on each axis."""
    rows = zip(padded_sizes(sizes, pad), window, stride, dilation, strict=True)
    return tuple((size - reach * (width - 1) - 1) // step + 1 for size, width, step, reach in rows)


def _conv(x: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, apart: Ints) -> Array:
    y = CONV["conv"].obvious(np.moveaxis(x, -1, 1), w, stride=stride, pad=pad, dilation=dilation, groups=1)
    return taken_apart(y, apart)


def _input_grad(g: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints) -> Array:
    whole = together(g, apart, _natural(sizes, w.shape[2:], stride, pad, dilation))
    options = {"stride": stride, "pad": pad, "dilation": dilation, "groups": 1, "sizes": sizes}
    return np.moveaxis(CONV["conv_input_grad"].obvious(whole, w, **options), 1, -1)


def _weight_grad(x: Array, g: Array, *, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints) -> Array:
    whole = together(g, apart, _natural(x.shape[1:-1], sizes, stride, pad, dilation))
    options = {"stride": stride, "pad": pad, "dilation": dilation, "groups": 1, "sizes": sizes}
    return CONV["conv_weight_grad"].obvious(np.moveaxis(x, -1, 1), whole, **options)


# ---------------------------------------------------------------------------------------------- windows


@dataclass(frozen=True, slots=True)
class _Windows:
    """Where windows lie on padded images: at `start + place * stride` for the places of each start, taps `dilation` apart."""

    window: Ints
    places: Ints
    stride: Ints
    dilation: Ints
    pad: Ints
    starts: tuple[Ints, ...]

    def view(self, images: Array, start: Ints) -> Array:
        """All windows from one start as a view of some padded images: `[batch, *places, *window, channels]`."""
        batch, *steps, channel = images.strides
        origin = images[(slice(None), *(slice(at, None) for at in start))]
        along = zip(steps, self.stride, strict=True)
        taps = zip(steps, self.dilation, strict=True)
        return as_strided(
            origin,
            (images.shape[0], *self.places, *self.window, images.shape[-1]),
            (batch, *(step * jump for step, jump in along), *(step * reach for step, reach in taps), channel),
        )

    def is_whole(self, images: Array) -> bool:
        """Whether columns are the images themselves: windows of one element, one beside the other."""
        single = prod(self.window) == prod(self.stride) == 1
        return single and not any(self.pad) and images.flags.c_contiguous


def _windows_of(window: Ints, y: Array, stride: Ints, pad: Ints, dilation: Ints, apart: Ints) -> _Windows:
    """The windows whose places are those of `y`, each start with a slice of it."""
    starts = tuple(tuple(at * step for at, step in zip(tap, stride, strict=True)) for tap in np.ndindex(*apart))
    jumps = tuple(step * width for step, width in zip(stride, apart, strict=True))
    return _Windows(window, y.shape[-1 - len(window) : -1], jumps, dilation, pad, starts)


def _by_start(y: Array, apart: Ints) -> Array:
    """With an axis of starts in front, also where there is one."""
    return y if prod(apart) > 1 else y[None]


def _parts(batch: int, columns: int) -> Iterator[slice]:
    """Rows of the batch to work on together, given how many elements the columns of one have."""
    rows = max(1, _ELEMENTS // max(1, columns))
    return (slice(start, min(start + rows, batch)) for start in range(0, batch, rows))


def _most_rows(batch: int, columns: int) -> int:
    return max(1, min(batch, _ELEMENTS // max(1, columns)))


# ---------------------------------------------------------------------------------------------- columns


def _lie_down(x: Array, windows: _Windows) -> bool:
    """Whether columns are copied in longer rows when each tap has its places beside each other."""
    *_, step, channel = x.strides
    beside = windows.dilation[-1] == 1 and step == x.shape[-1] * channel
    row = x.shape[-1] * (windows.window[-1] if beside else 1) if channel == x.itemsize else 1
    return row < windows.places[-1]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of some images, ready to be copied.

    Attributes:
        windows: where they are.
        down: they lie down: `[channels, *window, batch, *places]`, otherwise `[batch, *places, *window, channels]`.
        padded: memory for some padded images, zero around, or None where nothing is put around them.
        memory: a flat array for the columns of some images.
    """

    windows: _Windows
    down: bool
    padded: Array | None
    memory: Array

    def images(self, x: Array) -> tuple[Array, list[Step]]:
        """Some images with their padding, and the steps that make it."""
        if self.padded is None:
            return x, []
        padded = self.padded[: x.shape[0]]
        return padded, [partial(np.copyto, _inside(padded, self.windows.pad), x)]

    def matrix(self, images: Array, start: Ints) -> tuple[Array, list[Step]]:
        """`[rows, taps]` of the windows from one start, and the steps that make it."""
        if self.windows.is_whole(images):
            return images.reshape((-1, images.shape[-1])), []
        view = self.windows.view(images, start)
        rows, taps = images.shape[0] * prod(self.windows.places), images.shape[-1] * prod(self.windows.window)
        if self.down:
            axes = len(self.windows.window)
            order = (2 * axes + 1, *range(1 + axes, 1 + 2 * axes), *range(1 + axes))
            view = view.transpose(order)
        memory = self.memory[: rows * taps]
        matrix = memory.reshape((taps, rows)).T if self.down else memory.reshape((rows, taps))
        return matrix, [partial(np.copyto, memory.reshape(view.shape), view)]


def _inside(padded: Array, pad: Ints) -> Array:
    """The images within their padding: a view."""
    axes = len(pad) // 2
    sizes = padded.shape[1:-1]
    return padded[(slice(None), *(slice(pad[axis], sizes[axis] - pad[axis + axes]) for axis in range(axes)))]


def _padded_shape(rows: int, sizes: Ints, channels: int, pad: Ints) -> Ints:
    return (rows, *padded_sizes(sizes, pad), channels) if any(pad) else (0,)


def _matrix(y: Array, memory: Array) -> tuple[Array, list[Step]]:
    """The rows of channels of all places, and the step that copies them to memory where they are not side by side."""
    if y.flags.c_contiguous:
        return y.reshape((-1, y.shape[-1])), []
    copy = memory[: y.size].reshape(y.shape)
    return copy.reshape((-1, y.shape[-1])), [partial(np.copyto, copy, y)]


def _matrix_size(rows: int, cotangents: Array) -> int:
    """How much memory `_matrix` needs for so many images."""
    return 0 if cotangents.flags.c_contiguous else rows * cotangents[0, 0].size


def _taps_last(w: Array) -> Array:
    """A weight as `[filters, *window, channels]`: a view."""
    return np.moveaxis(w, 1, -1)


# ---------------------------------------------------------------------------------------------- as matrix products


def _bind_conv(
    x: Array, w: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, apart: Ints, work: Work
) -> Step:
    y = _by_start(out, apart)
    windows = _windows_of(w.shape[2:], y, stride, pad, dilation, apart)
    filters, taps = w.shape[0], w[0].size
    columns = taps * prod(windows.places)
    rows = _most_rows(x.shape[0], columns)
    around = _padded_shape(rows, x.shape[1:-1], x.shape[-1], pad)
    weights, padded, memory = work.arrays(x.dtype, (filters, taps), around, (rows * columns,))
    down = _lie_down(x, windows)
    made = _Columns(windows, down, padded if any(pad) else None, memory)
    steps: list[Step] = [] if made.padded is None else [partial(made.padded.fill, 0)]
    arranged = w if down else _taps_last(w)
    steps.append(partial(np.copyto, weights.reshape(arranged.shape), arranged))
    for part in _parts(x.shape[0], columns):
        images, put = made.images(x[part])
        steps += put
        for target, start in zip(y, windows.starts, strict=True):
            matrix, copied = made.matrix(images, start)
            steps += [*copied, partial(np.dot, matrix, weights.T, target[part].reshape((-1, filters)))]
    return in_order(steps)


def _bind_weight_grad(
    x: Array, g: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints, work: Work
) -> Step:
    cotangents = _by_start(g, apart)
    windows = _windows_of(sizes, cotangents, stride, pad, dilation, apart)
    filters, taps = out.shape[0], x.shape[-1] * prod(sizes)
    columns = taps * prod(windows.places)
    rows = _most_rows(x.shape[0], columns)
    around = _padded_shape(rows, x.shape[1:-1], x.shape[-1], pad)
    shapes = ((taps, filters), (taps, filters), around, (rows * columns,), (_matrix_size(rows, cotangents),))
    total, one, padded, memory, copy = work.arrays(x.dtype, *shapes)
    down = _lie_down(x, windows)
    made = _Columns(windows, down, padded if any(pad) else None, memory)
    steps: list[Step] = [] if made.padded is None else [partial(made.padded.fill, 0)]
    steps.append(partial(total.fill, 0))
    for part in _parts(x.shape[0], columns):
        images, put = made.images(x[part])
        steps += put
        for cotangent, start in zip(cotangents, windows.starts, strict=True):
            matrix, copied = made.matrix(images, start)
            given, turned = _matrix(cotangent[part], copy)
            steps += [*copied, *turned, partial(np.dot, matrix.T, given, one), partial(np.add, total, one, total)]
    arranged = np.moveaxis(out if down else _taps_last(out), 0, -1)
    return in_order([*steps, partial(np.copyto, arranged, total.reshape(arranged.shape))])


def _bind_input_grad(
    g: Array, w: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints, work: Work
) -> Step:
    cotangents = _by_start(g, apart)
    windows = _windows_of(w.shape[2:], cotangents, stride, pad, dilation, apart)
    filters, channels, taps = w.shape[0], w.shape[1], w[0].size
    columns = taps * prod(windows.places)
    rows = _most_rows(out.shape[0], columns)
    around = _padded_shape(rows, sizes, channels, pad)
    shapes = ((filters, taps), around, (rows * columns,), (_matrix_size(rows, cotangents),))
    weights, padded, memory, copy = work.arrays(g.dtype, *shapes)
    arranged = _taps_last(w)
    steps: list[Step] = [partial(np.copyto, weights.reshape(arranged.shape), arranged)]
    for part in _parts(out.shape[0], columns):
        target = padded[: part.stop - part.start] if any(pad) else out[part]
        whole = windows.is_whole(target)
        steps += [] if whole else [partial(target.fill, 0)]
        for cotangent, start in zip(cotangents, windows.starts, strict=True):
            matrix, turned = _matrix(cotangent[part], copy)
            steps += turned
            if whole:
                steps.append(partial(np.dot, matrix, weights, target.reshape((-1, channels))))
                continue
            found = memory[: matrix.shape[0] * taps].reshape((matrix.shape[0], taps))
            steps.append(partial(np.dot, matrix, weights, found))
            view = windows.view(target, start)
            steps += [partial(np.add, met, met_by, met) for met, met_by in _met(windows, view, found)]
        if any(pad):
            steps.append(partial(np.copyto, out[part], _inside(target, pad)))
    return in_order(steps)


def _met(windows: _Windows, view: Array, matrix: Array) -> Iterator[tuple[Array, Array]]:
    """Pairs of elements of images and of columns, as views of equal shape, in each of which no element of an image is twice.

    Windows that do not touch on the last axis are added together, with all their taps there: these lie side by side, so
    that rows of elements are as long as the window is wide.
    """
    axes = len(windows.window)
    columns = matrix.reshape(view.shape)
    beside = windows.dilation[-1] == 1
    every = -(-windows.window[-1] // windows.stride[-1]) if beside else 1
    last_taps = [slice(None)] if beside else [slice(at, at + 1) for at in range(windows.window[-1])]
    for tap in np.ndindex(*windows.window[:-1]):
        for last in last_taps:
            for first in range(min(every, windows.places[-1])):
                chosen = (slice(None),) * axes + (slice(first, None, every), *tap, last)
                yield view[chosen], columns[chosen]


CONV_LAST: dict[str, Kernel] = {
    "conv_last": Kernel(_conv, bound_and_run(_bind_conv), bind=_bind_conv),
    "conv_input_grad_last": Kernel(_input_grad, bound_and_run(_bind_input_grad), bind=_bind_input_grad),
    "conv_weight_grad_last": Kernel(_weight_grad, bound_and_run(_bind_weight_grad), bind=_bind_weight_grad),
}
