"""Kernels: convolution with channels last and its adjoints, as products of matrices.

A convolution is one product of columns with the weight, the gradient of its weight another, and that of its image a product
whose rows are added where they came from. Columns are made anew for the gradient: that costs less than reading them from memory.
How they are made is chosen by `columns`, by what it costs.
"""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np

from dslc_runtime.kernels.adding import TOGETHER, add_back, lines_shape, windows_to_add
from dslc_runtime.kernels.columns import (
    by_start,
    columns_of,
    inside,
    is_whole,
    most_rows,
    padded_shape,
    parts,
)
from dslc_runtime.kernels.conv import CONV
from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.steps import Step, Work, bound_and_run, contiguous, in_order
from dslc_runtime.kernels.windows import Ints, places_of

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


def _conv(x: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, apart: Ints) -> Array:
    y = CONV["conv"].obvious(np.moveaxis(x, -1, 1), w, stride=stride, pad=pad, dilation=dilation, groups=1)
    return taken_apart(y, apart)


def _input_grad(g: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints) -> Array:
    whole = together(g, apart, places_of(sizes, w.shape[2:], stride, pad, dilation))
    options = {"stride": stride, "pad": pad, "dilation": dilation, "groups": 1, "sizes": sizes}
    return np.moveaxis(CONV["conv_input_grad"].obvious(whole, w, **options), 1, -1)


def _weight_grad(x: Array, g: Array, *, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints) -> Array:
    whole = together(g, apart, places_of(x.shape[1:-1], sizes, stride, pad, dilation))
    options = {"stride": stride, "pad": pad, "dilation": dilation, "groups": 1, "sizes": sizes}
    return CONV["conv_weight_grad"].obvious(np.moveaxis(x, -1, 1), whole, **options)


# ---------------------------------------------------------------------------------------------- as matrix products


def _bind_conv(
    x: Array, w: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, apart: Ints, work: Work
) -> Step:
    work.anew()
    y = by_start(out, apart)
    columns = columns_of(x, w.shape[2:], y, stride, pad, dilation, apart, work)
    windows = columns.windows
    weights = windows.weights(w.shape[1], w.shape[0], w.dtype, work)
    steps: list[Step] = [partial(np.copyto, band, w) for band in windows.bands(weights, w.shape[1], columns.down)]
    steps += columns.cleared()
    for part in columns.parts(x.shape[0]):
        images, put = columns.images(x[part])
        steps += put
        for start, matrix, copied in columns.matrices(images):
            target = y[start, part].reshape((-1, weights.shape[1]))
            steps += [*copied, partial(np.matmul, matrix, weights, target)]
    return in_order(steps)


def _bind_weight_grad(
    x: Array, g: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints, work: Work
) -> Step:
    work.anew()
    steps: list[Step] = []
    cotangents, channels = by_start(contiguous(g, steps), apart), x.shape[-1]
    columns = columns_of(x, sizes, cotangents, stride, pad, dilation, apart, work)
    windows = columns.windows
    total, one = (windows.weights(channels, g.shape[-1], x.dtype, work) for _ in range(2))
    steps += [partial(total.fill, 0), *columns.cleared()]
    for part in columns.parts(x.shape[0]):
        images, put = columns.images(x[part])
        steps += put
        for start, matrix, copied in columns.matrices(images):
            given = cotangents[start, part].reshape((-1, total.shape[1]))
            steps += [*copied, partial(np.matmul, matrix.T, given, one), partial(np.add, total, one, total)]
    first, *others = windows.bands(total, channels, columns.down)
    steps.append(partial(np.copyto, out, first))
    return in_order([*steps, *(partial(np.add, out, band, out) for band in others)])


def _bind_input_grad(
    g: Array, w: Array, *, out: Array, stride: Ints, pad: Ints, dilation: Ints, sizes: Ints, apart: Ints, work: Work
) -> Step:
    work.anew()
    cotangents, filters, channels, batch = by_start(g, apart), w.shape[0], w.shape[1], len(out)
    places = tuple(number * width for number, width in zip(cotangents.shape[2:-1], apart, strict=True))
    shape = padded_shape(batch, sizes, channels, pad)
    windows = windows_to_add(w.shape[2:], (batch, *places, filters), stride, dilation, shape)
    weights = windows.weights(channels, filters, w.dtype, work)
    taps = len(weights)
    per_image = taps * prod(windows.places)
    lines_of = lines_shape(windows, shape[1:])
    in_use = per_image + prod(places) * filters + prod(lines_of) + prod(shape[1:])
    rows = most_rows(batch, in_use, TOGETHER)
    columns, whole = work.array(g.dtype, rows * per_image), work.array(g.dtype, rows, *places, filters)
    lines = work.array(g.dtype, rows, *lines_of)
    padded = work.array(g.dtype, rows, *shape[1:]) if any(pad) or not out.flags.c_contiguous else None
    steps: list[Step] = [partial(np.copyto, band, w) for band in windows.bands(weights, channels, down=False)]
    for part in parts(batch, rows):
        images = part.stop - part.start
        target = out[part] if padded is None else padded[:images]
        given, put = _as_one(cotangents[:, part], whole[:images], apart)
        given = given.reshape((-1, weights.shape[1]))
        steps += put
        if is_whole(windows, target, pad):
            steps.append(partial(np.dot, given, weights.T, target.reshape((-1, channels))))
        else:
            found = columns[: len(given) * taps].reshape((len(given), taps))
            steps += [partial(np.dot, given, weights.T, found), partial(target.fill, 0)]
            steps += add_back(windows, target, found, lines[:images])
        if padded is not None:
            steps.append(partial(np.copyto, out[part], inside(target, pad)))
    return in_order(steps)


def _as_one(apart: Array, whole: Array, starts: Ints) -> tuple[Array, list[Step]]:
    """Places apart -> all places in their order, and the steps that put them there; those of one start are left where they are."""
    if len(apart) == 1 and apart.flags.c_contiguous:
        return apart[0], []
    targets = (whole[(slice(None), *map(_every, at, starts))] for at in np.ndindex(*starts))
    return whole, [partial(np.copyto, target, one) for target, one in zip(targets, apart, strict=True)]


def _every(first: int, step: int) -> slice:
    return slice(first, None, step)


CONV_LAST: dict[str, Kernel] = {
    "conv_last": Kernel(_conv, bound_and_run(_bind_conv), bind=_bind_conv),
    "conv_input_grad_last": Kernel(_input_grad, bound_and_run(_bind_input_grad), bind=_bind_input_grad),
    "conv_weight_grad_last": Kernel(_weight_grad, bound_and_run(_bind_weight_grad), bind=_bind_weight_grad),
}
