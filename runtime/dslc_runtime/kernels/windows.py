"""What kernels over windows share: padding, the elements that one tap of a window meets, and all of them as one view.

Tensors are `[batch, channels, *axes]`. A window has an extent on each of the axes behind the channels, and lies at every
`stride`-th place; its taps are `dilation` apart. `pad` holds what is put in front of each axis, then what is put behind.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dslc_runtime.kernels.kernel import Array

Ints = tuple[int, ...]
Slices = tuple[slice, ...]


def padded_sizes(sizes: Ints, pad: Ints) -> Ints:
    """The sizes of the axes with their padding."""
    return tuple(size + pad[axis] + pad[axis + len(sizes)] for axis, size in enumerate(sizes))


def places_of(sizes: Ints, window: Ints, stride: Ints, pad: Ints, dilation: Ints) -> Ints:
    """How many places a window has on each axis."""
    return tuple(
        (size - apart * (width - 1) - 1) // step + 1
        for size, width, step, apart in zip(padded_sizes(sizes, pad), window, stride, dilation, strict=True)
    )


def inner(x: Array, pad: Ints) -> Array:
    """What is left of the last axes when the padding is taken off: a view."""
    axes = len(pad) // 2
    sizes = x.shape[x.ndim - axes :]
    return x[(..., *(slice(pad[axis], size - pad[axis + axes]) for axis, size in enumerate(sizes)))]


def padded(x: Array, pad: Ints, value: float = 0.0) -> Array:
    """The tensor with its last axes padded, in the order of its memory; the tensor itself where there is nothing to put."""
    if not any(pad):
        return x
    axes = len(pad) // 2
    out = np.empty_like(x, shape=(*x.shape[: x.ndim - axes], *padded_sizes(x.shape[x.ndim - axes :], pad)))
    out.fill(value)
    inner(out, pad)[...] = x
    return out


def taps(window: Ints, places: Ints, stride: Ints, dilation: Ints) -> Iterator[tuple[Ints, Slices]]:
    """Each tap of a window, in order, with the slices of the padded axes that it meets over all places."""
    for tap in np.ndindex(*window):
        slices = tuple(
            slice(at * apart, at * apart + max(0, (number - 1) * step + 1), step)
            for at, number, step, apart in zip(tap, places, stride, dilation, strict=True)
        )
        yield tap, slices


def windows(x: Array, window: Ints, places: Ints, stride: Ints, dilation: Ints) -> Array:
    """All windows of a padded tensor as a view of it: `[channels, *window, batch, *places]`. It is only read."""
    batch, channels, *steps = x.strides
    return as_strided(
        x,
        (x.shape[1], *window, x.shape[0], *places),
        (
            channels,
            *(step * apart for step, apart in zip(steps, dilation, strict=True)),
            batch,
            *(step * jump for step, jump in zip(steps, stride, strict=True)),
        ),
        writeable=False,
    )
