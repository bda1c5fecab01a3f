"""Trained weights over data: loss and metrics of a part, a classifier's report, and predictions for new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc.backends.to_numpy import compile_numpy
from dslc.backends.to_onnx import to_onnx
from dslc.check.typed import TypedTrain, TypedValue
from dslc.driver.figures import inference
from dslc.graph import Graph
from dslc.graph.draws import draws_as_inputs
from dslc.lower import lower
from dslc.passes import optimize
from dslc.passes.export import optimize_for_export
from dslc_runtime import ort
from dslc_runtime.classification import ClassReport, class_report
from dslc_runtime.data.parts import Part, Rows
from dslc_runtime.engine import feed
from dslc_runtime.evaluate import Run, evaluate, function_run, predict, program_run

Array = npt.NDArray[Any]

BATCH = 256  # rows at a time; where the program says more, that many


def open_engine(
    graph: Graph, params: Mapping[str, Array], engine: str = "numpy", device: str = "cpu", seed: int = 0
) -> Run:
    """A graph on an engine ("numpy", or "ort" on "cpu" or "cuda"), ready for rows of data.

    Args:
        graph: as it was lowered.
        seed: of random tensors, which are the same on every engine.

    Raises:
        RuntimeFault: ONNX Runtime or the device cannot be had (DL6001, DL6002).
    """
    if engine == "numpy":
        program = compile_numpy(optimize(graph))
        return program_run(program, {key: np.asarray(params[key], order="C") for key in program.params}, seed)
    if graph.leaves("draw"):
        return _with_draws(optimize(graph), params, device, seed)
    graph = optimize_for_export(graph)
    used = {node.attrs.str("key") for node in graph.leaves("param")}
    names = [node.attrs.str("name") for node in graph.leaves("input")]
    model = to_onnx(graph, {key: array for key, array in params.items() if key in used})
    session = ort.open_session(model.SerializeToString(), device)
    return function_run(lambda fields: session.run({name: fields[name] for name in names}))


def _with_draws(graph: Graph, params: Mapping[str, Array], device: str, seed: int) -> Run:
    """A graph with random tensors on ONNX Runtime, which is given what the NumPy engine draws."""
    program = compile_numpy(graph)
    state = {key: np.asarray(params[key], order="C") for key in program.params}
    session = ort.open_session(to_onnx(draws_as_inputs(graph), state).SerializeToString(), device)

    def run(fields: Mapping[str, Array], rows: Rows, number: int) -> Mapping[str, Array]:
        ready = feed(program, state, fields, len(rows), seed)
        ready.fill(rows, number)
        return session.run({**ready.bound.inputs, **{spec.stream: drawn for spec, drawn in ready.bound.draws}})

    return run


def evaluate_part(
    typed: TypedTrain, part: Part, params: Mapping[str, Array], engine: str = "numpy", device: str = "cpu"
) -> dict[str, float]:
    """Loss and metrics in inference mode over the rows of a part."""
    graph, figures = inference(typed.inference)
    run = open_engine(graph, params, engine, device, typed.seed)
    return evaluate(run, part, _rows(typed, part), figures)


@dataclass(frozen=True, slots=True)
class Classified:
    """How a classifier does on a part, and the field of the true classes."""

    report: ClassReport
    field: str


def classify_part(
    typed: TypedTrain, part: Part, params: Mapping[str, Array], engine: str = "numpy", device: str = "cpu"
) -> Classified | None:
    """The report of a classifier over a part; None where the loss is not a cross entropy of logits and class ids."""
    found = _classes(typed)
    if found is None:
        return None
    logits, label = found
    chosen = {"logits": logits}
    graph = lower(typed.inference.body, chosen)
    scores = predict(open_engine(graph, params, engine, device), part, _rows(typed, part))["logits"]
    field = part.fields[label]
    truth = field if part.rows is None else field[part.rows]
    return Classified(class_report(truth, np.argmax(scores, axis=-1), scores.shape[-1]), label)


def _rows(typed: TypedTrain, part: Part) -> int:
    return len(part) if typed.batch is None else max(typed.batch, BATCH)


def _classes(typed: TypedTrain) -> tuple[TypedValue, str] | None:
    """The logits and the field of class ids that the loss joins."""
    for value in typed.inference.body.values:
        if value.op != "cross_entropy" or value.attrs["ignore_index"] is not None:
            continue
        logits, label = value.inputs[:2]
        last = value.attrs.get("axis") in (-1, logits.type.rank - 1)
        if last and label.op == "input" and not label.type.dtype.is_float and logits.type.rank == 2:
            return logits, label.attrs.str("name")
    return None
