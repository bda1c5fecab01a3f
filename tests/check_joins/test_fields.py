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


@pytest.mark.parametrize(
    ("expr", "type_", "columns", "code"),
    [
        ('source["a"] / 2', "i64[]", {"a": IDS}, "DL3020"),
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
