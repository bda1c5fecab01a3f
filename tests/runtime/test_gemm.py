"""A product added to a matrix in memory: by the BLAS of NumPy and without it, it is what float64 says, in every layout."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import threadpoolctl  # pyright: ignore[reportMissingTypeStubs]

from dslc_runtime.kernels import KERNELS, blas, gemm
from dslc_runtime.kernels.blas import Gemm, gemm_of, laid
from dslc_runtime.kernels.steps import Work
from dslc_runtime.threads import limited

Array = npt.NDArray[Any]
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
INTO, BIND = KERNELS["gemm"].into, gemm._bind_gemm


@pytest.fixture(params=["BLAS", "NumPy alone"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "NumPy alone":
        monkeypatch.setattr(gemm, "gemm_of", lambda _dtype: None)
    with np.errstate(all="ignore"):
        yield


def in_order(x: Array) -> Array:
    return np.ascontiguousarray(x)


def by_columns(x: Array) -> Array:
    return np.asfortranarray(x)


def columns_of_a_wider_matrix(x: Array) -> Array:
    wide = np.full((x.shape[0], x.shape[1] + 5), np.nan, x.dtype)
    wide[:, 2 : x.shape[1] + 2] = x
    return wide[:, 2 : x.shape[1] + 2]


def rows_of_a_higher_transposed_matrix(x: Array) -> Array:
    return columns_of_a_wider_matrix(x.T).T


def every_second_element(x: Array) -> Array:
    apart = np.full((x.shape[0], 2 * x.shape[1]), np.nan, x.dtype)
    apart[:, ::2] = x
    return apart[:, ::2]


def upside_down(x: Array) -> Array:
    return np.ascontiguousarray(x[::-1])[::-1]


def off_the_bounds_of_elements(x: Array) -> Array:
    memory = np.zeros(x.nbytes + 1, np.uint8)
    found = np.ndarray(x.shape, x.dtype, memory, 1)
    found[...] = x
    return found


TAKEN = (in_order, by_columns, columns_of_a_wider_matrix, rows_of_a_higher_transposed_matrix)
COPIED = (every_second_element, upside_down, off_the_bounds_of_elements)
LAYOUTS = pytest.mark.parametrize("lay", TAKEN + COPIED, ids=lambda lay: lay.__name__)
DTYPES = pytest.mark.parametrize("dtype", [F32, F64], ids=str)


def numbers(m: int, n: int, k: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    generator = np.random.default_rng(m + 100 * n + 10000 * k)
    c, a, b = (generator.normal(size=shape).astype(dtype) for shape in ((m, n), (m, k), (k, n)))
    return c, a, b


def exactly(c: Array, a: Array, b: Array, alpha: float, beta: float) -> Array:
    wide = [x.astype(np.float64) for x in (c, a, b)]
    return beta * wide[0] + alpha * (wide[1] @ wide[2])


def assert_near(found: Array, expected: Array, terms: int) -> None:
    few = 8 * (terms + 2) * np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=few, atol=few)


def applied(
    c: Array,
    a: Array,
    b: Array,
    alpha: float,
    beta: float,
    out: Array | None = None,
    lay_c: Callable[..., Array] = in_order,
) -> Array:
    """The result written over `c`, or into `out`."""
    held = lay_c(c.copy())
    target = held if out is None else out
    INTO(held, a, b, np.array(alpha, c.dtype), np.array(beta, c.dtype), out=target)
    return target


@DTYPES
@pytest.mark.parametrize("sizes", list(product((0, 1, 2, 17), repeat=3)), ids=str)
def test_every_size_is_what_the_formula_says(sizes: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
    c, a, b = numbers(*sizes, dtype)
    for lay_a, lay_b in product((in_order, by_columns), repeat=2):
        found = applied(c, lay_a(a), lay_b(b), -0.5, 1.0)
        assert_near(found, exactly(c, a, b, -0.5, 1.0), sizes[2])


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("which", ["c", "a", "b", "out"])
@pytest.mark.parametrize("sizes", [(6, 9, 4), (1, 5, 3), (5, 1, 3), (5, 3, 1), (130, 70, 110)], ids=str)
def test_every_layout_of_every_matrix_is_read_and_written_rightly(
    which: str, lay: Callable[[Array], Array], sizes: tuple[int, int, int], dtype: np.dtype[Any]
) -> None:
    c, a, b = numbers(*sizes, dtype)
    expected = exactly(c, a, b, 0.75, -1.25)
    out = lay(np.full_like(c, np.nan)) if which == "out" else None
    left, right = lay(a) if which == "a" else a, lay(b) if which == "b" else b
    found = applied(c, left, right, 0.75, -1.25, out, lay if which == "c" else in_order)
    assert_near(found, expected, sizes[2])
    np.testing.assert_array_equal(left, a)
    np.testing.assert_array_equal(right, b)


def test_a_matrix_is_added_to_as_a_whole_where_a_part_is_done_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    c, a, b = numbers(17, 5, 3, F32)
    for elements in (1, 10, 29, 84, 85):
        monkeypatch.setattr(gemm, "_TOGETHER", elements)
        for alpha in (0.5, 0.0):
            assert_near(applied(c, a, b, alpha, 1.0), exactly(c, a, b, alpha, 1.0), 3)


def test_memory_beside_the_columns_that_are_written_stays_as_it_is() -> None:
    c, a, b = numbers(6, 9, 4, F32)
    wide = np.full((8, 20), 7, F32)
    wide[1:7, 3:12] = c
    target = wide[1:7, 3:12]
    INTO(target, a, b, 2.0, 1.0, out=target)
    assert_near(target, exactly(c, a, b, 2.0, 1.0), 4)
    target[...] = 7
    assert (wide == 7).all()


@DTYPES
@pytest.mark.parametrize("alpha", [0.0, 1.0, -1e-3, np.inf, np.nan])
@pytest.mark.parametrize("beta", [0.0, 1.0, 0.9, np.inf, np.nan])
def test_numbers_that_are_not_finite_spread_as_in_the_formula(alpha: float, beta: float, dtype: np.dtype[Any]) -> None:
    c, a, b = numbers(4, 5, 3, dtype)
    c[0, 1], a[2, 0], b[1, 4] = np.nan, np.inf, -np.inf
    for out in (None, np.full_like(c, np.nan)):
        assert_near(applied(c, a, b, alpha, beta, out), exactly(c, a, b, alpha, beta), 3)


@DTYPES
def test_a_bound_kernel_reads_matrices_and_numbers_anew_at_each_run(dtype: np.dtype[Any]) -> None:
    c, a, b = numbers(6, 9, 4, dtype)
    alpha, beta = np.zeros((), dtype), np.zeros((), dtype)
    spread = every_second_element(np.zeros_like(b))
    run = BIND(c, a, spread, alpha, beta, out=c, work=Work())
    for by, keep in ((0.5, 1.0), (0.0, 2.0), (-1.5, 0.25)):
        alpha[()], beta[()] = by, keep
        a *= 2
        spread[...] = b
        b = b + 1
        expected = exactly(c, a, spread, by, keep)
        run()
        assert_near(c, expected, 4 * 50)


@DTYPES
@LAYOUTS
def test_blas_takes_what_lies_in_rows_or_columns(lay: Callable[[Array], Array], dtype: np.dtype[Any]) -> None:
    assert (laid(lay(np.ones((3, 4), dtype))) is not None) == (lay in TAKEN)


def found_function(dtype: np.dtype[Any]) -> Gemm:
    found = gemm_of(dtype)
    if found is None:
        pytest.skip("NumPy is linked to no BLAS that can be called from here")
    return found


def test_it_refuses_matrices_that_do_not_fit_or_are_constant_or_larger_than_its_integers() -> None:
    function = found_function(F32)
    x = np.ones((3, 3), F32)
    assert function.product(x, x, x.copy()) is not None
    assert function.product(x, x, x.astype(F64)) is None
    assert function.product(x, x[:2], x.copy()) is None
    assert function.product(x[:2], x, x.copy()) is None
    assert function.product(x, x[:, :2], x.copy()) is None
    assert function.product(x, x, np.ones((3, 3), F32, "F")) is None
    wide, constant = x.astype(F64), x.copy()
    constant.flags.writeable = False
    assert function.product(wide, wide, wide.copy()) is None
    assert function.product(x, x, constant) is None
    large = np.ones((130, 130), F32)
    assert function.product(large, large, large.copy()) is not None
    assert Gemm(function.call, ctypes.c_int8, function.number).product(large, large, large.copy()) is None


def test_a_function_that_does_not_compute_the_product_is_not_trusted() -> None:
    function = found_function(F32)

    def with_another_number(*given: Any) -> None:
        function.call(*given[:6], function.number(1.0), *given[7:])

    assert blas._is_right(function, F32)
    assert not blas._is_right(replace(function, call=with_another_number), F32)
    assert not blas._is_right(replace(function, call=lambda *_: None), F32)


def test_where_numpy_has_no_blas_there_is_no_function(monkeypatch: pytest.MonkeyPatch) -> None:
    gemm_of.cache_clear()
    try:
        monkeypatch.setattr(blas, "_library", object)
        assert gemm_of(F32) is None
        monkeypatch.setattr(blas, "_library", lambda: None)
        assert gemm_of(F64) is None
    finally:
        gemm_of.cache_clear()
    assert gemm_of(np.dtype(np.float16)) is None


def test_a_limit_of_threads_holds_for_it_too() -> None:
    library = blas._library()
    count: Any = getattr(library, "scipy_openblas_get_num_threads64_", None)
    if count is None:
        pytest.skip("the library that NumPy is linked to does not say how many threads it uses")
    assert found_function(F32)
    before = count()
    with limited(1):
        assert count() == 1
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert count() == 2
    assert count() == before
