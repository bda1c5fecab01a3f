"""Every loss, in value and gradients, against what PyTorch computed for the same operands (`goldens/make_losses.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.graph import Builder
from dslc.ops import FAMILIES
from dslc.ops.ir import Value
from dslc.tensor_type import DType, TensorType

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "losses.npz")
CASES = sorted({name.split("/")[0] for name in GOLDENS.files if "/" in name})
OPTIONS: dict[str, dict[str, float | str]] = {
    "huber.delta": {"delta": 0.5},
    "bce.edge": {"reduction": "none"},
    "bce_logits.far": {"reduction": "none"},
    "cross_entropy.far": {"reduction": "none"},
    "cross_entropy.smoothing": {"label_smoothing": 0.1},
    "triplet.none": {"reduction": "none", "margin": 0.5},
    "cross_entropy.ignore": {"ignore_index": -100},
    "cross_entropy.ignore_smoothing": {"ignore_index": 2, "label_smoothing": 0.1},
    "cross_entropy.both": {"label_smoothing": 0.2},
    "cross_entropy.weights_none": {"reduction": "none"},
    "cross_entropy.weights_sum": {"reduction": "sum", "label_smoothing": 0.1},
    "cross_entropy.weights_deep": {"label_smoothing": 0.1},
    "cross_entropy.weights_ignore": {"ignore_index": 2, "label_smoothing": 0.1},
    "cross_entropy.weights_shares": {"label_smoothing": 0.2},
    "nll.weights_ignore": {"ignore_index": 2},
    "contrastive.none": {"reduction": "none", "margin": 4.0},
}
# PyTorch's 1e-12 in the gradient of `bce` is a float32 number in float64 too.
TOLERANCE = {"bce.edge": 1e-8}
REDUCTIONS = ("mean", "sum", "none", "batchmean")


def computed(case: str, dtype: DType) -> dict[str, npt.NDArray[Any]]:
    """The loss and its gradients by prediction and target, named as in the goldens."""
    name, variant = case.split(".")
    options = OPTIONS.get(case, {"reduction": variant} if variant in REDUCTIONS else {})
    float_ = np.float64 if dtype is DType.F64 else np.float32
    x, t = GOLDENS[f"{case}/x"].astype(float_), GOLDENS[f"{case}/t"]
    t = t.astype(float_) if t.dtype.kind == "f" else t
    builder = Builder()
    prediction = builder.leaf("input", TensorType(dtype, x.shape), name="x")
    target = builder.leaf("input", TensorType(dtype if t.dtype.kind == "f" else DType.I64, t.shape), name="t")
    order = builder.leaf("input", TensorType(DType.I64, (len(x),)), name="order")
    others = _others(builder, case, prediction, target, order)
    loss = builder.apply(name, prediction, target, *others, **options)
    wrt = [prediction, target] if t.dtype.kind == "f" else [prediction]
    found = gradients(builder, builder.apply("sum", loss), wrt)
    builder.graph.outputs = {"y": loss, **dict(zip(("gx", "gt"), found, strict=False))}
    return interpret(builder.graph, {"x": x, "t": t, "order": np.arange(len(x))[::-1]})


def _others(builder: Builder, case: str, x: Value, t: Value, order: Value) -> list[Value]:
    """The operands behind prediction and target, as in the script."""
    name, variant = case.split(".")
    if name == "triplet":
        return [builder.apply("gather", t, order)]
    if name == "contrastive":
        return [builder.apply("mod", order, builder.constant(2, DType.I64))]
    if "weight" in variant:
        classes = builder.apply("arange", size=x.shape[-1], dtype=x.dtype)
        half = builder.constant(0.5, x.dtype)
        return [builder.apply("add", builder.apply("mul", classes, half), half)]
    return []


def test_every_loss_has_goldens():
    names = {opdef.name for opdef in FAMILIES["loss"] if opdef.call} - {"ctc"}  # test_ctc.py
    assert names == {case.split(".")[0] for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_a_loss_and_its_gradients_are_those_of_pytorch_in_float64(case: str):
    found = computed(case, DType.F64)
    for key in ("y", "gx", "gt"):
        if f"{case}/{key}" in GOLDENS:
            rtol = TOLERANCE.get(case, 1e-10)
            np.testing.assert_allclose(found[key], GOLDENS[f"{case}/{key}"], rtol=rtol, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("case", CASES)
def test_a_loss_and_its_gradient_are_those_of_pytorch_in_float32(case: str):
    found = computed(case, DType.F32)
    for key in ("y", "gx", "gt"):
        if f"{case}/{key}32" in GOLDENS:
            np.testing.assert_allclose(found[key], GOLDENS[f"{case}/{key}32"], rtol=1e-5, atol=1e-6, err_msg=key)


def test_the_page_about_losses_names_every_loss_and_metric():
    page = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")
    names = [opdef.name for family in ("loss", "metric") for opdef in FAMILIES[family] if opdef.call]
    assert [name for name in names if f"`{name}(" not in page] == []
