"""Kernels: elements of losses whose formula needs care."""

from __future__ import annotations

import numpy as np

from dslc_runtime.kernels.kernel import Array, Kernel


def _bce(p: Array, t: Array) -> Array:
    log_p, log_rest = np.maximum(np.log(p), -100.0), np.maximum(np.log1p(np.negative(p)), -100.0)
    return -(t * log_p + np.subtract(1.0, t) * log_rest)


def _bce_into(p: Array, t: Array, *, out: Array) -> None:
    np.copyto(out, _bce(p, t))


def _bce_logits(x: Array, t: Array) -> Array:
    # In this order: the first two cancel exactly where t is 1, which leaves all digits of the small rest.
    return (np.maximum(x, 0.0) - np.multiply(x, t)) + np.log1p(np.exp(-np.abs(x)))


def _bce_logits_into(x: Array, t: Array, *, out: Array) -> None:
    np.copyto(out, _bce_logits(x, t))


LOSS: dict[str, Kernel] = {
    "bce_elements": Kernel(_bce, _bce_into),
    "bce_logits_elements": Kernel(_bce_logits, _bce_logits_into),
}
