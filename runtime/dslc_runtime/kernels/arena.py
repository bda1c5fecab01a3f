"""Kernels: flat vectors of tensors."""

from __future__ import annotations

from math import prod

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

Sizes = tuple[int, ...]


def _segment(flat: Array, *, offset: int, sizes: Sizes) -> Array:
    return flat[offset : offset + prod(sizes)].reshape(sizes)


def _segment_into(flat: Array, *, offset: int, sizes: Sizes, out: Array) -> None:
    np.copyto(out, _segment(flat, offset=offset, sizes=sizes))


def _pack(*tensors: Array) -> Array:
    return np.concatenate([np.ravel(tensor) for tensor in tensors])


def _pack_into(*tensors: Array, out: Array) -> None:
    np.concatenate([np.ravel(tensor) for tensor in tensors], out=out)


ARENA: dict[str, Kernel] = {
    "segment": Kernel(_segment, _segment_into, view=True),
    "pack": Kernel(_pack, _pack_into),
}
