"""ONNX model -> proof that it is legal and computes what the NumPy engine computes.

The checker and strict shape inference of the `onnx` package run always. The comparison runs where ONNX Runtime is
installed, at several sizes of every run-time dimension, because a frozen batch size is the usual defect of exporters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Graph
from dslc.ops.ir import Node
from dslc.tensor_type import Size, evaluate, symbols
from dslc_runtime import ort
from dslc_runtime.errors import RuntimeFault

SIZES = (1, 2, 7)
_LARGEST = 512

# |a - b| <= t * (1 + max |b|), by the precision of the output's element type: sums of many terms may cancel to anything
# small, so a value is held against the largest one beside it.
_TOLERANCE = {"f16": 1e-2, "f32": 1e-5, "f64": 1e-10}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of an export: the sizes compared and the largest difference of a value, relative to 1 + the output's largest.

    `sizes` is empty where ONNX Runtime is not installed and nothing was compared.
    """

    sizes: tuple[int, ...]
    worst: float


def prove(model: onnx.ModelProto, graph: Graph, params: Mapping[str, npt.NDArray[Any]]) -> Proof:
    """Check an exported model and compare it with the graph it came from.

    Raises:
        RuntimeFault: the two engines disagree (DL6004), or ONNX Runtime refuses the model (DL6003).
        onnx.checker.ValidationError: the model is not legal ONNX, which is a defect of ours.
    """
    onnx.checker.check_model(model, full_check=True)  # pyright: ignore[reportUnknownMemberType]
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    if not ort.is_installed():
        return Proof((), 0.0)
    session = ort.open_session(model.SerializeToString(deterministic=True))
    program = compile_numpy(graph)
    worst = 0.0
    for size in SIZES:
        feeds = _feeds(graph, size)
        bound = program.bind(program.sizes_of({name: array.shape for name, array in feeds.items()}), params)
        for name, array in feeds.items():
            np.copyto(bound.inputs[name], array)
        bound.run()
        found = session.run(feeds)
        for name, expected in bound.outputs.items():
            worst = max(worst, _difference(name, graph.outputs[name].dtype.value, size, found[name], expected))
    return Proof(SIZES, worst)


def _feeds(graph: Graph, size: int) -> dict[str, npt.NDArray[Any]]:
    """Random inputs: the first run-time size of the program is `size`, each further one is one larger than the last.

    All are doubled until no tensor is empty.
    """
    inputs = graph.leaves("input")
    names: dict[str, None] = {}
    for node in inputs:
        for dim in node.out.shape:
            names |= dict.fromkeys(sorted(symbols(dim)))
    sizes = {name: size + offset for offset, name in enumerate(names)}
    while not _hold_something(graph, sizes) and max(sizes.values()) < _LARGEST:
        sizes = {name: 2 * number for name, number in sizes.items()}
    generator = np.random.Generator(np.random.Philox(size))
    return {node.attrs.str("name"): _random(node, sizes, generator) for node in inputs}


def _hold_something(graph: Graph, sizes: Mapping[str, int]) -> bool:
    """Whether no tensor is empty: where a window does not fit into an image, engines differ in what they make of it."""
    dims = {dim for node in graph.order() for value in node.outputs for dim in value.shape if isinstance(dim, Size)}
    return all(evaluate(dim, sizes) >= 1 for dim in dims if dim.symbols() <= sizes.keys())


def _random(node: Node, sizes: Mapping[str, int], generator: np.random.Generator) -> npt.NDArray[Any]:
    shape = tuple(evaluate(dim, sizes) for dim in node.out.shape)
    if node.out.dtype.is_float:
        return generator.standard_normal(shape).astype(f"f{node.out.dtype.bytes}")
    return generator.integers(0, 2, shape).astype(_INTEGER[node.out.dtype.value])


_INTEGER: dict[str, npt.DTypeLike] = {"i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64, "bool": np.bool_}


def _difference(name: str, dtype: str, size: int, found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """The largest difference relative to 1 + max |expected|; equal infinities and NaNs differ by nothing.

    Raises:
        RuntimeFault: shapes differ, or the difference is past the tolerance (DL6004).
    """
    where = f"output `{name}` at size {size}"
    if found.shape != expected.shape:
        raise RuntimeFault("DL6004", f"{where} has shape {list(found.shape)} in ONNX, {list(expected.shape)} in NumPy")
    a, b = found.astype(np.float64), expected.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        scale = 1 + np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        worst = float(np.max(np.where(same, 0.0, np.abs(a - b)), initial=0.0) / scale)
    if not worst <= _TOLERANCE.get(dtype, 0.0):
        raise RuntimeFault("DL6004", f"{where} differs by {worst:.3g} between ONNX Runtime and NumPy")
    return worst
