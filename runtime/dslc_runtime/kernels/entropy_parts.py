"""Kernels: the cross entropy of a softmax in parts that both directions read: exponentials, their sums, the losses.

The parts have the classes along the first axis: reductions over short rows are slow in NumPy. Bound, because for few classes and
rows most of the time would go into making views.
"""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.index import check_ids
from dslc_runtime.kernels.kernel import Array, Kernel
from dslc_runtime.kernels.softmax import SOFTMAX
from dslc_runtime.kernels.steps import Step, Work, bound_and_run


def _parts(logits: Array, ids: Array, *, axis: int) -> Array:
    e = np.exp(logits - np.max(logits, axis=axis, keepdims=True))
    losses = SOFTMAX["softmax_cross_entropy"].obvious(logits, ids, axis=axis)
    return np.concatenate([np.moveaxis(e, axis, 0), np.sum(e, axis=axis)[np.newaxis], losses[np.newaxis]])


def _bind_parts(logits: Array, ids: Array, *, axis: int, out: Array, work: Work) -> Step:
    classes = logits.shape[axis]
    first, e = np.moveaxis(logits, axis, 0), out[:classes]
    rows = out.reshape(len(out), -1)
    elements, total, losses = rows[:classes], rows[classes], rows[classes + 1]
    number = np.arange(ids.size)
    work.anew()
    largest = work.array(logits.dtype, ids.size)

    def run() -> None:
        check_ids(ids, classes)
        np.copyto(e, first)
        np.maximum.reduce(elements, axis=0, out=largest)
        np.subtract(elements, largest, out=elements)
        picked = elements[ids.reshape(-1), number]
        np.exp(elements, out=elements)
        np.add.reduce(elements, axis=0, out=total)
        np.log(total, out=losses)
        np.subtract(losses, picked, out=losses)

    return run


def _grad(parts: Array, ids: Array, g: Array, *, axis: int) -> Array:
    p = parts[:-2] / parts[-2]
    code = np.arange(len(p)).reshape((-1, *(1,) * ids.ndim)) == ids
    return np.moveaxis((p - code).astype(p.dtype) * g, 0, axis)


def _bind_grad(parts: Array, ids: Array, g: Array, *, axis: int, out: Array, work: Work) -> Step:
    e, total, number = parts[:-2], parts[-2, ...], np.arange(ids.size)
    work.anew()
    first, share = work.array(out.dtype, *e.shape), work.array(g.dtype, *g.shape)
    elements, last = first.reshape(len(e), -1), np.moveaxis(first, 0, axis)

    def run() -> None:
        np.divide(g, total, out=share)
        np.multiply(e, share, out=first)
        elements[ids.reshape(-1), number] -= g.reshape(-1)
        np.copyto(out, last)

    return run


ENTROPY_PARTS: dict[str, Kernel] = {
    "entropy_parts": Kernel(_parts, bound_and_run(_bind_parts), bind=_bind_parts),
    "entropy_parts_grad": Kernel(_grad, bound_and_run(_bind_grad), bind=_bind_grad),
}
