"""What graphs state, in NumPy's terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dslc.diagnostics import InternalError
from dslc.graph import Builder
from dslc.graph.arrays import constant_array, constant_data, kernel_attrs, numpy_dtype, size_number
from dslc.ops.ir import Attrs, Data
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")


@pytest.mark.parametrize("dtype", DType)
def test_an_element_type_has_numpys_size_and_kind(dtype: DType):
    kinds = {"f": "f", "i": "i", "u": "u", "b": "b"}
    found = numpy_dtype(dtype)
    assert (found.itemsize, found.kind, found.isnative) == (dtype.bytes, kinds[dtype.value[0]], True)


@pytest.mark.parametrize("dtype", DType)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_constant_survives_whatever_the_order_of_its_bytes(dtype: DType, order: Any):
    array = np.array([[0, 1, 1], [1, 0, 100]]).astype(numpy_dtype(dtype).newbyteorder(order))
    b = Builder()
    leaf = b.leaf("constant", TensorType(dtype, (2, 3)), value=constant_data(array))
    found = constant_array(b.graph.producer(leaf))
    assert found.dtype == numpy_dtype(dtype)
    np.testing.assert_array_equal(found, array)


def test_bytes_of_constants_are_little_endian_and_in_row_order():
    array = np.array([[1, 3], [2, 4]], ">i4").T
    assert constant_data(array) == Data(bytes.fromhex("01000000 02000000 03000000 04000000"))


def test_a_scalar_constant_is_an_array_without_axes():
    b = Builder()
    found = constant_array(b.graph.producer(b.constant(0.1, DType.F32)))
    assert (found.shape, found.dtype, found.item()) == ((), np.float32, float(np.float32(0.1)))


def test_kernels_get_numbers_for_sizes_and_numpys_types():
    attrs = Attrs({"sizes": (B, 2 * B + 1, 3), "dtype": DType.F64, "axis": -1, "size": B})
    assert kernel_attrs(attrs, {"B": 5}) == {"sizes": (5, 11, 3), "dtype": np.dtype(np.float64), "axis": -1, "size": 5}


def test_a_size_that_nothing_states_is_a_defect():
    with pytest.raises(InternalError, match="no leaf states the size B"):
        size_number(B * symbol("T"), {"T": 2})
