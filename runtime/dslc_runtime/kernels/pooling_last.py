"""Kernels: pools with channels last, and the gradient of the maximum over places that lie apart.

A pool goes through its taps, whatever the order of its memory is: it is given views with channels first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.pooling import POOLING
from dslc_runtime.kernels.steps import Step, Work, bound_and_run, contiguous, in_order

#: Elements of one tap that are worked on at a time: those of all arrays in use stay in the second cache.
_ELEMENTS = 1 << 15


def _first(x: Array) -> Array:
    return np.moveaxis(x, -1, 1)


def _obvious(base: Kernel) -> Callable[..., Array]:
    def obvious(*operands: Array, **options: Any) -> Array:
        return np.moveaxis(base.obvious(*map(_first, operands), **options), 1, -1)

    return obvious


def _into(base: Kernel) -> Callable[..., None]:
    def into(*operands: Array, out: Array, **options: Any) -> None:
        base.into(*map(_first, operands), out=_first(out), **options)

    return into


def _put_largest(g: Array, y: Array, x: Array) -> Array:
    chosen = np.argmax(x == y, axis=0)
    return np.where(np.arange(len(x)).reshape((-1, *(1,) * g.ndim)) == chosen, g, g.dtype.type(0))


def _bind_put_largest(g: Array, y: Array, x: Array, *, out: Array, work: Work) -> Step:
    """What is left to give is g, and 0 as soon as a largest element has got it; the last one gets what is left."""
    work.anew()
    left, is_largest = work.array(g.dtype, _ELEMENTS), work.array(np.dtype(bool), _ELEMENTS)
    steps: list[Step] = []
    cotangents, largest = (contiguous(each, steps).reshape(-1) for each in (g, y))
    elements, targets = contiguous(x, steps).reshape((len(x), -1)), out.reshape((len(x), -1))
    for start in range(0, g.size, _ELEMENTS):
        part = slice(start, min(start + _ELEMENTS, g.size))
        rest, found = left[: part.stop - part.start], is_largest[: part.stop - part.start]
        given = cotangents[part]
        for element, target in zip(elements[:-1, part], targets[:-1, part], strict=True):
            steps += [
                partial(np.equal, element, largest[part], found),
                partial(np.copyto, target, found),  # quicker than a product of a number and a bool
                partial(np.multiply, given, target, target),
                partial(np.subtract, given, target, rest),
            ]
            given = rest
        steps.append(partial(np.copyto, targets[-1, part], given))
    return in_order(steps)


POOLING_LAST: dict[str, Kernel] = {
    **{f"{name}_last": Kernel(_obvious(base), _into(base)) for name, base in POOLING.items()},
    "put_largest": Kernel(_put_largest, bound_and_run(_bind_put_largest), bind=_bind_put_largest),
}
