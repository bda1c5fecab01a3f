"""ONNX model -> proof that it is legal and computes what the NumPy engine computes.

The checker and strict shape inference of the `onnx` package run always. The comparison runs where ONNX Runtime is
installed, at several sizes of every run-time dimension, because a frozen batch size is the usual defect of exporters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
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
_NEARBY = 12  # numbers tried for each run-time size where multiples do not fit

# |a - b| <= t * (1 + max |b|), by the precision of the output's element type: sums of many terms may cancel to anything
# small, so a value is held against the largest one beside it.
_TOLERANCE = {"f16": 1e-2, "f32": 1e-5, "f64": 1e-10}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of an export: the sizes compared and the largest difference of a value, relative to 1 + the output's largest.

    `sizes` holds numbers of the first run-time size. It is empty where nothing was compared: ONNX Runtime is not installed, or
    no small sizes fit the model.
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
    compared: list[int] = []
    worst = 0.0
    for seed, sizes in enumerate(_trials(graph)):
        size = next(iter(sizes.values()), 1)
        compared.append(size)
        feeds = _feeds(graph, sizes, seed)
        bound = program.bind(program.sizes_of({name: array.shape for name, array in feeds.items()}), params)
        for name, array in feeds.items():
            np.copyto(bound.inputs[name], array)
        bound.run()
        found = session.run(feeds)
        for name, expected in bound.outputs.items():
            worst = max(worst, _difference(name, graph.outputs[name].dtype.value, size, found[name], expected))
    return Proof(tuple(dict.fromkeys(compared)), worst)


def _trials(graph: Graph) -> Iterator[dict[str, int]]:
    """Run-time sizes to compare at: the first is about as each of `SIZES`, each further one is one larger than the last.

    Numbers that do not fit the graph give way to multiples of them, then to others nearby; where none fits there is no trial.
    """
    names = dict.fromkeys(
        name for node in graph.leaves("input") for dim in node.out.shape for name in sorted(symbols(dim))
    )
    every = {dim for node in graph.order() for value in node.outputs for dim in value.shape if isinstance(dim, Size)}
    # Quotients come first: they are what rules most numbers out.
    dims = sorted((dim for dim in every if dim.symbols() <= names.keys()), key=lambda dim: -dim.den)
    for size in SIZES:
        first = {name: size + offset for offset, name in enumerate(names)}
        fitting = next((sizes for sizes in _nearby(first) if _fit(dims, sizes)), None)
        if fitting is not None:
            yield fitting


def _nearby(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Sizes, their multiples up to the largest worth trying, and other numbers nearby."""
    most = max(_LARGEST // max(sizes.values(), default=_LARGEST), 1)
    for times in range(1, most + 1):
        yield {name: times * number for name, number in sizes.items()}
    for offsets in product(range(_NEARBY), repeat=len(sizes)):
        yield {name: number + offset for (name, number), offset in zip(sizes.items(), offsets, strict=True)}


def _fit(dims: Iterable[Size], sizes: Mapping[str, int]) -> bool:
    """Whether every tensor has a size, and none is empty.

    Where a window does not fit into an image, engines differ in what they make of it.
    """
    try:
        return all(evaluate(dim, sizes) >= 1 for dim in dims)
    except ValueError:
        return False


def _feeds(graph: Graph, sizes: Mapping[str, int], seed: int) -> dict[str, npt.NDArray[Any]]:
    """Random inputs."""
    generator = np.random.Generator(np.random.Philox(seed))
    return {node.attrs.str("name"): _random(node, sizes, generator) for node in graph.leaves("input")}


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
