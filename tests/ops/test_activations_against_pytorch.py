"""Every activation, in value and gradient, against PyTorch, kinks and tails included (`goldens/make_activations.py`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder
from dslc.ops import FAMILIES
from dslc.tensor_type import DType, TensorType

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "activations.npz")
CASES = sorted({name.split("/")[0] for name in GOLDENS.files if "/" in name})
OPTIONS: dict[str, dict[str, float | str]] = {
    "leaky_relu.slope": {"slope": 0.2},
    "elu.alpha": {"alpha": 0.5},
    "gelu.tanh": {"approximate": "tanh"},
    "hard_tanh.bounds": {"low": -2.0, "high": 3.0},
}
OPERANDS = {"prelu": (0.25,)}
# PyTorch's slope of 1 / 6 is a float32 number in float64 too.
TOLERANCE = {"hard_sigmoid": 1e-8}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "ending", "tolerance"), [(DType.F64, "", 1e-12), (DType.F32, "32", 1e-6)])
def test_an_activation_and_its_slope_are_those_of_pytorch(case: str, dtype: DType, ending: str, tolerance: float):
    tolerance = max(tolerance, TOLERANCE.get(case, 0.0))
    x = GOLDENS["x"].astype(np.float64 if dtype is DType.F64 else np.float32)
    builder = Builder()
    leaf = builder.leaf("input", TensorType(dtype, x.shape), name="x")
    others = [builder.constant(number, dtype) for number in OPERANDS.get(case, ())]
    y = builder.apply(case.split(".", maxsplit=1)[0], leaf, *others, **OPTIONS.get(case, {}))
    (gx,) = gradients(builder, builder.apply("sum", y), [leaf])
    builder.graph.outputs = {"y": y, "gx": gx}
    found = interpret(builder.graph, {"x": x})
    for name in ("y", "gx"):
        wanted = GOLDENS[f"{case}/{name}{ending}"]
        np.testing.assert_allclose(found[name], wanted, rtol=10 * tolerance, atol=tolerance, err_msg=name)


def test_every_activation_is_compared():
    written = {op.name for op in FAMILIES["activation"] if op.call} - {"step"}  # its slope is 0 everywhere
    assert {case.split(".")[0] for case in CASES} == written
