"""Kernels: views, slices, joins, and tensors of one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel

Sizes = tuple[int, ...]


def _view(of: Callable[..., Array]) -> Kernel:
    """The kernel of an operator whose result is a view of its operand; `into` copies it."""

    def into(x: Array, *, out: Array, **attrs: Any) -> None:
        np.copyto(out, of(x, **attrs))

    return Kernel(of, into, view=True)


def _reshape(x: Array, *, sizes: Sizes) -> Array:
    return np.reshape(x, sizes)


def _transpose(x: Array, *, axes: Sizes) -> Array:
    return np.transpose(x, axes)


def _squeeze(x: Array, *, axis: Sizes) -> Array:
    return np.squeeze(x, axis)


def _expand_dims(x: Array, *, axis: Sizes) -> Array:
    return np.expand_dims(x, axis)


def _expand(x: Array, *, sizes: Sizes) -> Array:
    return np.broadcast_to(x, sizes)


def _sized(x: Array, *, sizes: Sizes, claim: str) -> Array:
    if x.shape != sizes:
        raise IndexError(f"{claim}: it is {list(x.shape)}, not {list(sizes)}")
    return x


# ---------------------------------------------------------------------------------------------- slices


def _slice(x: Array, *, starts: Sizes, stops: Sizes, steps: Sizes) -> Array:
    for axis, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        if not 0 <= start <= stop <= x.shape[axis]:
            raise IndexError(
                f"the slice {start}:{stop} does not lie within axis {axis}, which has {x.shape[axis]} elements"
            )
    return x[(*map(slice, starts, stops, steps), ...)]


def _pad_slice(x: Array, *, sizes: Sizes, starts: Sizes, steps: Sizes) -> Array:
    out = np.zeros(sizes, np.asarray(x).dtype)
    out[_places(np.shape(x), starts, steps)] = x
    return out


def _pad_slice_into(x: Array, *, sizes: Sizes, starts: Sizes, steps: Sizes, out: Array) -> None:
    del sizes
    out.fill(0)
    out[_places(np.shape(x), starts, steps)] = x


def _places(lengths: Sizes, starts: Sizes, steps: Sizes) -> tuple[slice, ...]:
    """Where a slice of the given lengths was read from: up to just after its last element."""
    stops = (
        start + (length - 1) * step + 1 if length else start
        for length, start, step in zip(lengths, starts, steps, strict=True)
    )
    return tuple(map(slice, starts, stops, steps))


# ---------------------------------------------------------------------------------------------- joins, fills


def _concat(*tensors: Array, axis: int) -> Array:
    return np.concatenate(tensors, axis)


def _concat_into(*tensors: Array, axis: int, out: Array) -> None:
    np.concatenate(tensors, axis, out=out)


def _full(*, sizes: Sizes, value: float, dtype: np.dtype[Any]) -> Array:
    return np.full(sizes, value, dtype)


def _full_into(*, sizes: Sizes, value: float, dtype: np.dtype[Any], out: Array) -> None:
    del sizes, dtype
    out.fill(value)


def _arange(*, size: int, dtype: np.dtype[Any]) -> Array:
    return np.arange(size).astype(dtype)


def _arange_into(*, size: int, dtype: np.dtype[Any], out: Array) -> None:
    np.copyto(out, _arange(size=size, dtype=dtype))


SHAPE: dict[str, Kernel] = {
    "reshape": _view(_reshape),
    "transpose": _view(_transpose),
    "squeeze": _view(_squeeze),
    "expand_dims": _view(_expand_dims),
    "expand": _view(_expand),
    "sized": _view(_sized),
    "slice": _view(_slice),
    "pad_slice": Kernel(_pad_slice, _pad_slice_into),
    "concat": Kernel(_concat, _concat_into),
    "full": Kernel(_full, _full_into),
    "arange": Kernel(_arange, _arange_into),
}
