"""Kernels: pools over windows of `[batch, channels, *axes]`, and their adjoints.

The obvious forms go from place to place. The others go through a window's taps, so that each step works on all places at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.windows import Ints, Slices, inner, padded, padded_sizes, taps


def _each_place(sizes: Ints, window: Ints, stride: Ints, pad: Ints) -> Iterator[tuple[Ints, Slices]]:
    """Every place of a window, with the slices of the padded axes under it."""
    places = [
        (size - width) // step + 1 for size, width, step in zip(padded_sizes(sizes, pad), window, stride, strict=True)
    ]
    for place in np.ndindex(*places):
        yield (
            place,
            tuple(slice(at * step, at * step + width) for at, step, width in zip(place, stride, window, strict=True)),
        )


def _pooled(x: Array, window: Ints, stride: Ints, pad: Ints, dtype: Any = None) -> Array:
    places = tuple(
        (size - width) // step + 1
        for size, width, step in zip(padded_sizes(x.shape[2:], pad), window, stride, strict=True)
    )
    return np.empty((*x.shape[:2], *places), dtype or x.dtype)


def _under(x: Array, slices: Slices) -> Array:
    """What lies under a window, the window's axes made one."""
    found = x[(..., *slices)]
    return found.reshape((*x.shape[:2], prod(found.shape[2:])))


def _met(x: Array, window: Ints, places: Ints, stride: Ints) -> Iterator[Array]:
    """The elements of a padded image that each tap meets over all places: views, in the order of the taps."""
    for _, slices in taps(window, places, stride, (1,) * len(window)):
        yield x[(..., *slices)]


# ---------------------------------------------------------------------------------------------- the largest


def _max_pool(x: Array, *, window: Ints, stride: Ints, pad: Ints) -> Array:
    out, image = _pooled(x, window, stride, pad), padded(x, pad, -np.inf)
    for place, slices in _each_place(x.shape[2:], window, stride, pad):
        out[(..., *place)] = _under(image, slices).max(-1)
    return out


def _max_pool_into(x: Array, *, window: Ints, stride: Ints, pad: Ints, out: Array) -> None:
    first, *others = _met(padded(x, pad, -np.inf), window, out.shape[2:], stride)
    np.copyto(out, first)
    for met in others:
        np.maximum(out, met, out=out)


def _max_pool_tap(x: Array, *, window: Ints, stride: Ints, pad: Ints) -> Array:
    out, image = _pooled(x, window, stride, pad, np.int32), padded(x, pad, -np.inf)
    for place, slices in _each_place(x.shape[2:], window, stride, pad):
        out[(..., *place)] = _under(image, slices).argmax(-1)
    return out


def _max_pool_tap_into(x: Array, *, window: Ints, stride: Ints, pad: Ints, out: Array) -> None:
    # The position of the first one is the number of taps before it. Counting them takes no branches: 5 times faster than
    # writing numbers where there is something larger.
    image, largest = padded(x, pad, -np.inf), np.empty_like(out, x.dtype)
    _max_pool_into(x, window=window, stride=stride, pad=pad, out=largest)
    before, smaller = np.ones_like(out, bool), np.empty_like(out, bool)
    out.fill(0)
    *others, _ = _met(image, window, out.shape[2:], stride)
    for met in others:
        np.not_equal(met, largest, out=smaller)
        np.logical_and(before, smaller, out=before)
        np.add(out, before, out=out)


# ---------------------------------------------------------------------------------------------- one tap of each window


def _take_tap(x: Array, tap: Array, *, window: Ints, stride: Ints, pad: Ints) -> Array:
    out, image = _pooled(x, window, stride, pad), padded(x, pad)
    for place, slices in _each_place(x.shape[2:], window, stride, pad):
        chosen = tap[(..., *place)][..., None]
        out[(..., *place)] = np.take_along_axis(_under(image, slices), chosen, -1)[..., 0]
    return out


def _take_tap_into(x: Array, tap: Array, *, window: Ints, stride: Ints, pad: Ints, out: Array) -> None:
    chosen = np.empty_like(tap, bool)
    for number, met in enumerate(_met(padded(x, pad), window, out.shape[2:], stride)):
        np.copyto(out, met, where=np.equal(tap, number, out=chosen))


def _put_tap(g: Array, tap: Array, *, window: Ints, stride: Ints, pad: Ints, sizes: Ints) -> Array:
    image = np.zeros((*g.shape[:2], *padded_sizes(sizes, pad)), g.dtype)
    for place, slices in _each_place(sizes, window, stride, pad):
        chosen = np.arange(prod(window)) == tap[(..., *place)][..., None]
        numbers = np.where(chosen, g[(..., *place)][..., None], 0)
        image[(..., *slices)] += numbers.reshape((*g.shape[:2], *window))
    return inner(image, pad)


def _put_tap_into(g: Array, tap: Array, *, window: Ints, stride: Ints, pad: Ints, sizes: Ints, out: Array) -> None:
    image = np.empty_like(out, shape=(*g.shape[:2], *padded_sizes(sizes, pad))) if any(pad) else out
    image.fill(0)
    overlap = any(width > step for width, step in zip(window, stride, strict=True))
    chosen = np.empty_like(tap, bool)
    for number, met in enumerate(_met(image, window, g.shape[2:], stride)):
        np.equal(tap, number, out=chosen)
        if overlap:
            np.add(met, np.multiply(g, chosen), out=met)
        else:
            np.multiply(g, chosen, out=met)
    if any(pad):
        np.copyto(out, inner(image, pad))


# ---------------------------------------------------------------------------------------------- means


def _counts(sizes: Ints, window: Ints, stride: Ints, pad: Ints, places: Ints) -> Array:
    """How many elements of the image itself lie in each window."""
    rows: list[Array] = []
    for axis, (size, width, step, number) in enumerate(zip(sizes, window, stride, places, strict=True)):
        starts = np.arange(number) * step - pad[axis]
        rows.append(np.minimum(starts + width, size) - np.maximum(starts, 0))
    return reduce(np.multiply.outer, rows)


def _avg_pool(x: Array, *, window: Ints, stride: Ints, pad: Ints, count_pad: bool) -> Array:
    out, image = _pooled(x, window, stride, pad), padded(x, pad)
    inside = padded(np.ones((1, 1, *x.shape[2:]), x.dtype), pad, 1.0 if count_pad else 0.0)
    for place, slices in _each_place(x.shape[2:], window, stride, pad):
        out[(..., *place)] = _under(image, slices).sum(-1) / _under(inside, slices).sum(-1)
    return out


def _avg_pool_into(x: Array, *, window: Ints, stride: Ints, pad: Ints, count_pad: bool, out: Array) -> None:
    first, *others = _met(padded(x, pad), window, out.shape[2:], stride)
    np.copyto(out, first)
    for met in others:
        np.add(out, met, out=out)
    if count_pad:
        np.divide(out, prod(window), out=out)
    else:
        np.divide(out, _counts(x.shape[2:], window, stride, pad, out.shape[2:]).astype(out.dtype), out=out)


def _spread(g: Array, *, window: Ints, stride: Ints, pad: Ints, sizes: Ints) -> Array:
    image = np.zeros((*g.shape[:2], *padded_sizes(sizes, pad)), g.dtype)
    for place, slices in _each_place(sizes, window, stride, pad):
        image[(..., *slices)] += g[(..., *place)].reshape((*g.shape[:2], *(1,) * len(window)))
    return inner(image, pad)


def _spread_into(g: Array, *, window: Ints, stride: Ints, pad: Ints, sizes: Ints, out: Array) -> None:
    image = np.empty_like(out, shape=(*g.shape[:2], *padded_sizes(sizes, pad))) if any(pad) else out
    image.fill(0)
    for met in _met(image, window, g.shape[2:], stride):
        np.add(met, g, out=met)
    if any(pad):
        np.copyto(out, inner(image, pad))


POOLING: dict[str, Kernel] = {
    "max_pool": Kernel(_max_pool, _max_pool_into),
    "max_pool_tap": Kernel(_max_pool_tap, _max_pool_tap_into),
    "take_tap": Kernel(_take_tap, _take_tap_into),
    "put_tap": Kernel(_put_tap, _put_tap_into),
    "avg_pool": Kernel(_avg_pool, _avg_pool_into),
    "spread": Kernel(_spread, _spread_into),
}
