"""Field expressions: the batched computation equals the expression applied row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.backends.to_numpy import compile_numpy
from dslc.check import check_source
from dslc.check.fields import field_body, row_type
from dslc.diagnostics import Sink
from dslc.lower import lower
from dslc.passes import optimize
from dslc.source import Source
from dslc.tensor_type import DType, TensorType

Array = npt.NDArray[Any]
_DTYPES = {np.dtype(np.bool_ if t is DType.BOOL else f"{t.value[0]}{t.bytes}"): t for t in DType}


def field(expr: str, type_: str, columns: dict[str, Array]) -> Array | list[str]:
    """A field's value over whole columns, or the codes of what is wrong with it."""
    program = f'data d {{\n  source = npz("a.npz")\n  field z: {type_} = {expr}\n}}\n'
    checked, sink = check_source(Source("d.dl", program))
    if sink.found:
        return [d.code for d in sink]
    data = checked.datas["d"]
    types = {name: TensorType(_DTYPES[c.dtype], c.shape[1:]) for name, c in columns.items()}
    sink = Sink()
    found = field_body(checked.scope, data, data.fields["z"], types, sink)
    if found is None:
        return [d.code for d in sink]
    compiled = compile_numpy(optimize(lower(found.body, {"z": found.value})))
    bound = compiled.bind(compiled.sizes_of({name: c.shape for name, c in columns.items()}), {})
    for name, column in columns.items():
        np.copyto(bound.inputs[name], column)
    bound.run()
    return np.array(bound.outputs["z"])


RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)
ROWS = RNG.standard_normal((5, 3))
IDS = RNG.integers(0, 3, 5)


@pytest.mark.parametrize(
    ("expr", "type_", "columns", "row"),
    [
        ('source["a"] / 255', "f32[4, 3]", {"a": IMAGE}, lambda a: a / 255),
        ('cast(source["a"] / 255, f32) - 0.5', "f32[4, 3]", {"a": IMAGE}, lambda a: a / 255 - 0.5),
        ('(source["a"] - 127.5) / 127.5', "f32[4, 3]", {"a": IMAGE}, lambda a: (a - 127.5) / 127.5),
        ('source["a"] * source["b"]', "f32[3]", {"a": IDS[:, None], "b": ROWS}, lambda a, b: a * b),
        ('source["a"] > 127.5', "bool[4, 3]", {"a": IMAGE}, lambda a: a > 127.5),
        ('source["a"]', "i64[]", {"a": IDS.astype(np.uint8)}, lambda a: a),
        ('reshape(source["a"], [12])', "f32[12]", {"a": IMAGE}, lambda a: a.reshape(12)),
        ('source["a"] |> flatten(start = 0)', "f32[12]", {"a": IMAGE}, lambda a: a.reshape(12)),
        ('transpose(source["a"])', "f32[3, 4]", {"a": IMAGE}, lambda a: a.T),
        ('source["a"][1]', "f32[3]", {"a": IMAGE}, lambda a: a[1]),
        ('source["a"][:, -1]', "f32[4]", {"a": IMAGE}, lambda a: a[:, -1]),
        ('source["a"][1:3, ::2]', "f32[2, 2]", {"a": IMAGE}, lambda a: a[1:3, ::2]),
        ('mean(source["a"], axes = [0])', "f64[3]", {"a": ROWS[:, None, :]}, lambda a: a.mean(0)),
        ('source["a"] - mean(source["a"])', "f64[3]", {"a": ROWS}, lambda a: a - a.mean()),
        ('sum(source["a"], axes = [-1], keepdims = true)', "f64[1]", {"a": ROWS}, lambda a: a.sum(-1, keepdims=True)),
        ('softmax(source["a"], axis = -1)', "f64[3]", {"a": ROWS}, lambda a: np.exp(a) / np.exp(a).sum()),
        ('source["a"] * source["b"]', "f64[3]", {"a": ROWS, "b": ROWS[:, 0]}, lambda a, b: a * b),
        ('source["a"] + [1.0, 2.0, 3.0]', "f64[3]", {"a": ROWS}, lambda a: a + [1, 2, 3]),
        ('source["a"] @ [[1.0], [2.0], [3.0]]', "f64[1]", {"a": ROWS}, lambda a: a @ [[1], [2], [3]]),
        ('concat(source["a"], source["b"], axis = 0)', "f64[6]", {"a": ROWS, "b": -ROWS}, lambda a, b: np.r_[a, b]),
        ('source["a"] != 0', "bool[]", {"a": IDS}, lambda a: a != 0),
        ('where(source["a"] > 0, source["a"], 0)', "f64[3]", {"a": ROWS}, lambda a: np.where(a > 0, a, 0)),
        ('squeeze(expand_dims(source["a"], axis = 1), axis = 1)', "f64[3]", {"a": ROWS}, lambda a: a),
        ('argmax(source["a"], axis = 0)', "i64[]", {"a": ROWS}, lambda a: a.argmax()),
    ],
)
def test_a_batched_field_equals_its_expression_row_by_row(
    expr: str, type_: str, columns: dict[str, Array], row: Callable[..., Any]
) -> None:
    expected = np.array([row(*(c[i] for c in columns.values())) for i in range(5)])
    found = field(expr, type_, columns)
    assert isinstance(found, np.ndarray), found
    assert found.shape == expected.shape
    assert found.dtype == np.dtype("bool" if type_.startswith("bool") else f"{type_[0]}{int(type_[1:3]) // 8}")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


LOW = np.array([[0, 255, 33], [1, 2, 3]], np.uint8)
SIGNED = np.array([[-128, 127, 5], [1, 2, 3]], np.int8)
LARGE = np.array([[2_000_000_000, -2_000_000_000, 70_000]] * 2, np.int32)
HALF = np.array([[60_000, 0.5, 1]] * 2, np.float16)
SINGLE = np.array([[1, 2, 3]] * 2, np.float32)
TRUTHS = np.array([[True, False, True]] * 2)


@pytest.mark.parametrize(
    ("expr", "type_", "columns", "first"),
    [
        ('(source["a"] - 33) / 79', "f32[3]", {"a": LOW}, [-33 / 79, 222 / 79, 0]),
        ('source["a"] - 33', "f32[3]", {"a": LOW}, [-33, 222, 0]),
        ('source["a"] * 300 - 1000', "i64[3]", {"a": LOW}, [-1000, 75_500, 8900]),
        ('-source["a"]', "i64[3]", {"a": LOW}, [0, -255, -33]),
        ('sum(source["a"] * source["a"])', "f32[]", {"a": LOW}, 255**2 + 33**2),
        ('abs(source["a"])', "f32[3]", {"a": SIGNED}, [128, 127, 5]),
        ('source["a"] - source["b"]', "i64[3]", {"a": SIGNED, "b": LOW}, [-128, -128, -28]),
        ('source["a"] + source["a"]', "i64[3]", {"a": LARGE}, [4_000_000_000, -4_000_000_000, 140_000]),
        ('source["a"] * source["b"]', "f64[3]", {"a": LARGE, "b": LOW}, [0, -510_000_000_000, 2_310_000]),
        ('(source["a"] + 1) ** -1', "f64[3]", {"a": LOW}, [1, 1 / 256, 1 / 34]),
        ('source["a"] ** 2', "i64[3]", {"a": LOW}, [0, 255**2, 33**2]),
        ('source["a"] - 33 < 0', "bool[3]", {"a": LOW}, [True, False, False]),
        ('source["a"] > -1', "bool[3]", {"a": LOW}, [True, True, True]),
        ('where(source["a"] > 40, source["a"] - 300, -1)', "i64[3]", {"a": LOW}, [-1, -45, -1]),
        ('where(source["t"], source["a"] - 33, 0)', "f32[3]", {"t": TRUTHS, "a": LOW}, [-33, 0, 0]),
        ('source["a"] * 2', "f32[3]", {"a": HALF}, [120_000, 1, 2]),
        ('source["a"] * 70000 > 5', "bool[3]", {"a": HALF}, [True, True, True]),
        ('source["a"] * 0.1', "f64[3]", {"a": SINGLE}, [0.1, 0.2, 3 * 0.1]),
        ('source["a"]', "u8[3]", {"a": LOW}, [0, 255, 33]),
        ('source["a"]', "f16[3]", {"a": HALF}, [60_000, 0.5, 1]),
    ],
)
def test_narrow_columns_do_not_wrap(expr: str, type_: str, columns: dict[str, Array], first: Any) -> None:
    found = field(expr, type_, columns)
    assert isinstance(found, np.ndarray), found
    assert found.dtype == np.dtype(
        "bool" if type_.startswith("bool") else f"{type_[0]}{int(type_[1:].split('[', maxsplit=1)[0]) // 8}"
    )
    np.testing.assert_array_equal(found[0], np.array(first, found.dtype))


def test_a_number_that_no_integer_holds_is_refused_beside_integers() -> None:
    assert field(f'source["a"] - {2**63}', "i64[3]", {"a": LOW}) == ["DL2003"]


@pytest.mark.parametrize(
    ("expr", "type_", "columns", "code"),
    [
        ('source["a"] / 2', "i64[]", {"a": IDS}, "DL3020"),
        ('source["a"] ** -1', "i64[]", {"a": IDS}, "DL3020"),
        ('source["a"]', "f32[3]", {"a": IDS}, "DL3019"),
        ('source["a"]', "bool[]", {"a": IDS}, "DL3019"),
        ('random_normal(source["a"])', "f64[3]", {"a": ROWS}, "DL3090"),
        ('source["a"] @ source["a"]', "f64[]", {"a": ROWS}, "DL3090"),
    ],
)
def test_a_field_that_cannot_be_converted_is_refused(
    expr: str, type_: str, columns: dict[str, Array], code: str
) -> None:
    assert field(expr, type_, columns) == [code]


def test_the_rows_of_inline_columns_have_the_type_that_holds_them() -> None:
    assert row_type((1, 2)) == TensorType(DType.I64)
    assert row_type(((1, 2.5), (3, 4))) == TensorType(DType.F64, (2,))
    assert row_type((True, False)) == TensorType(DType.BOOL)
    assert row_type(("a", "b")) is None
