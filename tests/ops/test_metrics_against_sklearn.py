"""Metrics against what scikit-learn computed for the same operands (`goldens/make_metrics.py`), at once and over batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dslc.backends.interpret import interpret
from dslc.graph import Builder
from dslc.ops import FAMILIES, OPS
from dslc.ops.ir import Attr, Attrs
from dslc.tensor_type import DType, TensorType

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "metrics.npz")
CASES = sorted({name.split("/")[0] for name in GOLDENS.files})
OPTIONS: dict[str, dict[str, Attr]] = {
    "threshold": {"threshold": 0.5},
    "macro": {"average": "macro"},
    "micro": {"average": "micro"},
}
Array = npt.NDArray[Any]


def inputs(builder: Builder, *arrays: Array):
    types = {"b": DType.BOOL, "i": DType.I64, "f": DType.F64}
    return [
        builder.leaf("input", TensorType(types[array.dtype.kind], array.shape), name=f"x{i}")
        for i, array in enumerate(arrays)
    ]


def at_once(name: str, x: Array, t: Array, options: dict[str, Attr]) -> Array:
    builder = Builder()
    builder.graph.outputs["y"] = builder.apply(name, *inputs(builder, x, t), **options)
    return interpret(builder.graph, {"x0": x, "x1": t})["y"]


def by_batches(name: str, x: Array, t: Array, options: dict[str, Attr], batch: int) -> Array:
    """The metric from what batches contribute, joined as its declaration says."""
    opdef = OPS[name]
    over = opdef.over_part
    assert over is not None
    found: list[Array] = []
    attrs = Attrs({option.name: option.default for option in opdef.options} | options)
    for start in range(0, len(x), batch):
        rows = x[start : start + batch], t[start : start + batch]
        builder = Builder()
        leaves = inputs(builder, *rows)
        given = opdef.normalize(tuple(leaf.type for leaf in leaves), attrs) if opdef.normalize is not None else attrs
        builder.graph.outputs["y"] = over.parts(builder, tuple(leaves), given)
        found.append(interpret(builder.graph, {"x0": rows[0], "x1": rows[1]})["y"])
    joined = np.concatenate(found) if over.joined == "rows" else np.sum(found, axis=0)
    builder = Builder()
    builder.graph.outputs["y"] = over.finish(builder, inputs(builder, joined)[0], attrs)
    return interpret(builder.graph, {"x0": joined})["y"]


def test_every_metric_that_is_no_mean_has_goldens_or_is_the_exponential_of_a_loss():
    names = {opdef.name for opdef in FAMILIES["metric"] if opdef.over_part is not None}
    assert names - {"perplexity"} == {case.split(".")[0] for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_a_metric_is_that_of_scikit_learn(case: str):
    name, _, variant = case.partition(".")
    found = at_once(name, GOLDENS[f"{case}/x"], GOLDENS[f"{case}/t"], OPTIONS.get(variant, {}))
    np.testing.assert_allclose(found, GOLDENS[f"{case}/y"], rtol=1e-12 if found.dtype == np.float64 else 1e-7)


@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("case", CASES)
def test_a_metric_over_batches_is_that_of_all_rows(case: str, batch: int):
    name, _, variant = case.partition(".")
    found = by_batches(name, GOLDENS[f"{case}/x"], GOLDENS[f"{case}/t"], OPTIONS.get(variant, {}), batch)
    np.testing.assert_allclose(found, GOLDENS[f"{case}/y"], rtol=1e-12)


@pytest.mark.parametrize("ignored", [None, 2])
def test_perplexity_is_the_exponential_of_the_mean_over_the_rows_that_count(ignored: int | None):
    draw = np.random.default_rng(1)
    logits, ids = draw.normal(size=(11, 3)), draw.integers(0, 3, 11)
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(11), ids]
    kept = losses[ids != ignored]
    options: dict[str, Attr] = {"ignore_index": ignored}
    for found in (at_once("perplexity", logits, ids, options), by_batches("perplexity", logits, ids, options, 4)):
        np.testing.assert_allclose(found, np.exp(kept.mean()), rtol=1e-12)


def test_r2_keeps_its_digits_far_from_zero():
    target = 1e9 + np.arange(8.0)
    found = by_batches("r2", target + 0.5, target, {}, 3)
    np.testing.assert_allclose(found, 1 - 8 * 0.25 / 42, rtol=1e-9)


def test_auc_of_one_class_is_no_number():
    assert np.isnan(at_once("auc", np.array([1.0, 2.0]), np.array([True, True]), {}))
