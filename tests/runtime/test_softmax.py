"""Softmax of short and long rows, whose largest elements and sums are found in different ways, is that of float64."""

from __future__ import annotations

import numpy as np
import pytest

from dslc_runtime.kernels import KERNELS

INTO = KERNELS["softmax"].into
TOLERANCES = {np.float16: 2e-3, np.float32: 2e-6, np.float64: 1e-14}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 33), (1, 64), (3, 1500), (2, 0, 40)], ids=str)
def test_rows_of_every_length(shape: tuple[int, ...], dtype: type) -> None:
    x = (np.random.default_rng(0).normal(size=shape) * 5).astype(dtype)
    exact = np.exp(x.astype(np.float64) - x.astype(np.float64).max(-1, keepdims=True, initial=-np.inf))
    exact /= exact.sum(-1, keepdims=True)
    for operand in (x, np.repeat(x, 2, axis=-1)[..., ::2]):
        out = np.full(shape, np.nan, dtype)
        INTO(operand, axis=len(shape) - 1, out=out)
        np.testing.assert_allclose(out, exact, rtol=10 * TOLERANCES[dtype], atol=TOLERANCES[dtype])


def test_a_row_with_nan_or_nothing_but_minus_infinity_is_nan_and_the_others_are_not() -> None:
    x = np.zeros((3, 40))
    x[0, 7], x[1] = np.nan, -np.inf
    out = np.empty_like(x)
    with np.errstate(all="ignore"):
        INTO(x, axis=1, out=out)
    assert np.isnan(out).all(1).tolist() == [True, True, False]
    np.testing.assert_allclose(out[2], 1 / 40)
