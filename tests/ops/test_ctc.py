"""`ctc` against what PyTorch computed (`goldens/make_ctc.py`), against a sum over all paths, and trained on every engine."""

from __future__ import annotations

from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph
from dslc.ops.ir import Attr
from dslc.passes import optimize
from dslc.tensor_type import Dim, DType, TensorType, symbol
from dslc_runtime.errors import IdError

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "ctc.npz")
FEASIBLE = [0, 1, 2, 3, 5]
CASES: dict[str, tuple[dict[str, Attr], list[int] | slice]] = {
    "none": ({"reduction": "none"}, slice(None)),
    "sum": ({"reduction": "sum"}, FEASIBLE),
    "mean": ({}, FEASIBLE),
    "zero_infinity": ({"zero_infinity": True}, slice(None)),
    "zero_infinity_none": ({"zero_infinity": True, "reduction": "none"}, slice(None)),
    "blank": ({"blank": 4, "zero_infinity": True}, slice(None)),
}
Array = npt.NDArray[Any]


def graph(sizes: tuple[Dim, Dim, int, int], dtype: DType, options: dict[str, Attr]) -> Graph:
    """The loss `y` and its gradient `g`."""
    rows, time, classes, most = sizes
    builder = Builder()
    logits = builder.leaf("input", TensorType(dtype, (rows, time, classes)), name="logits")
    labels = builder.leaf("input", TensorType(DType.I64, (rows, most)), name="labels")
    lengths = [builder.leaf("input", TensorType(DType.I64, (rows,)), name=name) for name in ("steps", "number")]
    loss = builder.apply("ctc", logits, labels, *lengths, **options)
    found = gradients(builder, builder.apply("sum", loss), [logits])
    builder.graph.outputs = {"y": loss, "g": found[0]}
    return builder.graph


def given(rows: list[int] | slice, dtype: npt.DTypeLike) -> dict[str, Array]:
    feeds = {name: GOLDENS[name][rows] for name in ("logits", "labels", "steps", "number")}
    return feeds | {"logits": feeds["logits"].astype(dtype)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [DType.F64, DType.F32])
def test_ctc_is_that_of_pytorch(case: str, dtype: DType):
    options, rows = CASES[case]
    feeds = given(rows, np.float64 if dtype is DType.F64 else np.float32)
    found = interpret(graph((len(feeds["steps"]), 7, 5, 4), dtype, options), feeds)
    suffix, rtol, atol = ("", 1e-10, 1e-12) if dtype is DType.F64 else ("32", 1e-5, 1e-6)
    np.testing.assert_allclose(found["y"], GOLDENS[f"{case}/y{suffix}"], rtol=rtol, atol=atol)
    known = np.isfinite(GOLDENS[f"{case}/g{suffix}"])  # PyTorch's gradient of an infinite loss is nan
    assert known[FEASIBLE if len(known) == 6 else slice(None)].all()
    np.testing.assert_allclose(found["g"][known], GOLDENS[f"{case}/g{suffix}"][known], rtol=rtol, atol=atol)
    assert np.all(found["g"][~known] == 0)


def test_the_compiled_program_takes_any_number_of_samples_and_steps():
    program = compile_numpy(optimize(graph((symbol("B"), symbol("T"), 5, 4), DType.F64, {"reduction": "none"})))
    feeds = given(slice(None), np.float64)
    for rows, time in ((6, 7), (3, 9)):
        part = {name: array[:rows] for name, array in feeds.items()}
        part["logits"] = np.concatenate([part["logits"], np.ones((rows, time - 7, 5))], axis=1)
        bound = program.bind({"B": rows, "T": time}, {})
        for name, array in part.items():
            np.copyto(bound.inputs[name], array)
        bound.run()
        np.testing.assert_allclose(bound.outputs["y"], GOLDENS["none/y"][:rows], rtol=1e-12)


def test_ctc_is_the_sum_over_all_paths():
    draw = np.random.default_rng(1)
    logits = draw.normal(size=(1, 4, 3))
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(1, keepdims=True)
    for labels in ([], [1], [2, 2], [1, 2], [1, 2, 1]):
        paths = [path for path in product(range(3), repeat=4) if [k for k, _ in groupby(path) if k] == labels]
        total = sum(np.prod([p[t, k] for t, k in enumerate(path)]) for path in paths)
        feeds = {"logits": logits, "labels": np.array([labels], np.int64).reshape(1, -1)}
        feeds |= {"steps": np.array([4]), "number": np.array([len(labels)])}
        found = interpret(graph((1, 4, 3, len(labels)), DType.F64, {"reduction": "sum"}), feeds)
        np.testing.assert_allclose(found["y"], -np.log(total), rtol=1e-12)


def test_a_long_and_certain_sequence_neither_overflows_nor_is_nan():
    logits = np.full((1, 2000, 3), -1e4, np.float32)
    logits[0, :, 0] = 1e4
    feeds = {"logits": logits, "labels": np.array([[1]]), "steps": np.array([2000]), "number": np.array([1])}
    found = interpret(graph((1, 2000, 3, 1), DType.F32, {"reduction": "sum"}), feeds)
    np.testing.assert_allclose(found["y"], 2e4 - np.log(2000), rtol=1e-4)  # 2000 sums near 2e4
    assert np.isfinite(found["g"]).all()


def test_a_label_that_is_no_class_stops_the_run():
    feeds = given(slice(None), np.float64) | {"labels": GOLDENS["labels"] + 4}
    with pytest.raises(IdError):
        interpret(graph((6, 7, 5, 4), DType.F64, {}), feeds)
