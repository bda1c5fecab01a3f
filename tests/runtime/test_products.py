"""Products of stacks of matrices, small and large, in every layout, are those that NumPy computes one by one."""

from __future__ import annotations

import numpy as np
import pytest

from dslc_runtime.kernels import KERNELS

INTO = KERNELS["matmul"].into


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "transposed"])
@pytest.mark.parametrize("sizes", [(1, 3, 5), (7, 8, 9), (110, 101, 120)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_of_matrices_times_one(sizes: tuple[int, int, int], turned: bool, dtype: type) -> None:
    rows, inner, columns = sizes
    generator = np.random.default_rng(rows)
    a = generator.normal(size=(2, 2, rows, inner)).astype(dtype)
    b = generator.normal(size=(columns, inner) if turned else (inner, columns)).astype(dtype)
    b = b.T if turned else b
    tolerance = 1e-4 if dtype is np.float32 else 1e-12
    exact = a.astype(np.float64) @ b.astype(np.float64)
    for operand in (a, a.transpose(1, 0, 2, 3)):
        for out in (np.full(exact.shape, np.nan, dtype), np.full(exact.shape[::-1], np.nan, dtype).T):
            INTO(operand, b, out=out)
            expected = exact if operand is a else exact.transpose(1, 0, 2, 3)
            np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sizes", [(16, 8, 8), (64, 32, 64), (40, 3, 5), (16, 16, 16), (2, 1, 1)], ids=str)
@pytest.mark.parametrize("number", [0, 1, 3, 70])
def test_a_stack_of_matrices_times_transposed_ones(sizes: tuple[int, int, int], number: int) -> None:
    rows, inner, columns = sizes
    generator = np.random.default_rng(rows)
    a = generator.normal(size=(number, rows, 2, inner)).transpose(0, 2, 1, 3)
    b = generator.normal(size=(number, columns, 2, inner)).transpose(0, 2, 3, 1)
    expected = np.einsum("nhri,nhic->nhrc", a, b)
    out = np.full(expected.shape, np.nan)
    INTO(a, b, out=out)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)
    apart = np.full((number, rows, 2, columns), np.nan)
    KERNELS["matmul_turned"].into(a, b, out=apart, axes=(0, 2, 1, 3))
    np.testing.assert_allclose(apart, expected.transpose(0, 2, 1, 3), rtol=1e-12, atol=1e-12)


def test_a_matrix_that_several_meet_is_not_put_in_order_with_them() -> None:
    a, b = np.ones((3, 16, 4)), np.ones((1, 4, 4)).transpose(0, 2, 1)
    out = np.full((3, 16, 4), np.nan)
    INTO(a, b, out=out)
    assert (out == 4).all()


def test_a_product_over_nothing_is_zero() -> None:
    out = np.full((2, 3, 4), np.nan)
    INTO(np.ones((2, 3, 0)), np.ones((4, 0)).T, out=out)
    assert not out.any()
