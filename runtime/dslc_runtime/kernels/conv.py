"""Kernels: convolution in any number of axes, and its two adjoints.

The obvious forms go through a window's taps one by one. The others lay all windows side by side, as columns of one matrix, so
that a convolution is one matrix product for each group of channels. The columns of a whole batch can be many times as large as
the batch, so they are made for as many of its rows at a time as stay near the processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.windows import Ints, inner, padded, padded_sizes, places_of, taps, windows

#: Elements of the columns that are made at a time.
_ELEMENTS = 1 << 18


def _grouped(x: Array, axis: int, groups: int) -> Array:
    """The channel axis as two: groups, and the channels of each."""
    return x.reshape((*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :]))


# ---------------------------------------------------------------------------------------------- tap by tap


def _conv(x: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int) -> Array:
    places = places_of(x.shape[2:], w.shape[2:], stride, pad, dilation)
    images, weights = _grouped(padded(x, pad), 1, groups), _grouped(w, 0, groups)
    out = np.zeros((x.shape[0], groups, w.shape[0] // groups, *places), x.dtype)
    for tap, slices in taps(w.shape[2:], places, stride, dilation):
        out += np.einsum("bgc...,goc->bgo...", images[(..., *slices)], weights[(..., *tap)])
    return out.reshape((x.shape[0], w.shape[0], *places))


def _conv_input_grad(g: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int, sizes: Ints) -> Array:
    cotangents, weights = _grouped(g, 1, groups), _grouped(w, 0, groups)
    out = np.zeros((g.shape[0], groups, w.shape[1], *padded_sizes(sizes, pad)), g.dtype)
    for tap, slices in taps(w.shape[2:], g.shape[2:], stride, dilation):
        out[(..., *slices)] += np.einsum("bgo...,goc->bgc...", cotangents, weights[(..., *tap)])
    return inner(out, pad).reshape((g.shape[0], groups * w.shape[1], *sizes))


def _conv_weight_grad(
    x: Array, g: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int, sizes: Ints
) -> Array:
    images, cotangents = _grouped(padded(x, pad), 1, groups), _grouped(g, 1, groups)
    out = np.zeros((groups, g.shape[1] // groups, x.shape[1] // groups, *sizes), x.dtype)
    flat = cotangents.reshape((*cotangents.shape[:3], prod(g.shape[2:])))
    for tap, slices in taps(sizes, g.shape[2:], stride, dilation):
        met = images[(..., *slices)].reshape((*images.shape[:3], prod(g.shape[2:])))
        out[(..., *tap)] = np.einsum("bgcp,bgop->goc", met, flat)
    return out.reshape((g.shape[1], x.shape[1] // groups, *sizes))


# ---------------------------------------------------------------------------------------------- as matrix products


def _parts(batch: int, columns: int) -> Iterator[slice]:
    """Rows of the batch to work on together, given how many elements the columns of one have."""
    rows = max(1, _ELEMENTS // max(1, columns))
    return (slice(start, min(start + rows, batch)) for start in range(0, batch, rows))


def _columns(x: Array, window: Ints, places: Ints, stride: Ints, dilation: Ints, groups: int) -> Array:
    """All windows of some padded images: `[groups, channels of a group * taps, batch * places]`."""
    view = windows(x, window, places, stride, dilation)
    made = np.empty(view.shape, x.dtype)
    np.copyto(made, view)
    return made.reshape((groups, x.shape[1] // groups * prod(window), x.shape[0] * prod(places)))


def _channels_first(g: Array, groups: int) -> Array:
    """`[groups, channels of a group, batch * places]`: a copy."""
    first = np.ascontiguousarray(g.swapaxes(0, 1))
    return first.reshape((groups, g.shape[1] // groups, first[0].size if g.shape[1] else 0))


def _conv_into(x: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int, out: Array) -> None:
    window, places = w.shape[2:], out.shape[2:]
    images, weights = padded(x, pad), w.reshape((groups, w.shape[0] // groups, prod(w.shape[1:])))
    for part in _parts(x.shape[0], x.shape[1] * prod(window) * prod(places)):
        columns = _columns(images[part], window, places, stride, dilation, groups)
        made = np.matmul(weights, columns).reshape((w.shape[0], part.stop - part.start, *places))
        np.copyto(out[part], made.swapaxes(0, 1))


def _conv_input_grad_into(
    g: Array, w: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int, sizes: Ints, out: Array
) -> None:
    window, places = w.shape[2:], g.shape[2:]
    weights = w.reshape((groups, w.shape[0] // groups, prod(w.shape[1:]))).swapaxes(1, 2)
    channels = groups * w.shape[1]
    for part in _parts(g.shape[0], channels * prod(window) * prod(places)):
        rows = part.stop - part.start
        columns = np.matmul(weights, _channels_first(g[part], groups)).reshape((channels, *window, rows, *places))
        target = np.empty((rows, channels, *padded_sizes(sizes, pad)), g.dtype) if any(pad) else out[part]
        target.fill(0)
        for tap, slices in taps(window, places, stride, dilation):
            met = target[(..., *slices)]
            np.add(met, columns[(slice(None), *tap)].swapaxes(0, 1), out=met)
        if any(pad):
            np.copyto(out[part], inner(target, pad))


def _conv_weight_grad_into(
    x: Array, g: Array, *, stride: Ints, pad: Ints, dilation: Ints, groups: int, sizes: Ints, out: Array
) -> None:
    images, places = padded(x, pad), g.shape[2:]
    total = np.zeros((groups, g.shape[1] // groups, x.shape[1] // groups * prod(sizes)), g.dtype)
    for part in _parts(x.shape[0], x.shape[1] * prod(sizes) * prod(places)):
        columns = _columns(images[part], sizes, places, stride, dilation, groups)
        np.add(total, np.matmul(_channels_first(g[part], groups), columns.swapaxes(1, 2)), out=total)
    np.copyto(out, total.reshape(out.shape))


CONV: dict[str, Kernel] = {
    "conv": Kernel(_conv, _conv_into),
    "conv_input_grad": Kernel(_conv_input_grad, _conv_input_grad_into),
    "conv_weight_grad": Kernel(_conv_weight_grad, _conv_weight_grad_into),
}
