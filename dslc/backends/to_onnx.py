"""Graph -> ONNX model at opset 18, IR 10, with the program's names kept.

Inputs, outputs and parameters carry the names the program gave them; run-time sizes become named dynamic axes. How an
operator is written in ONNX is stated by its `OpDef`; here is only what is around it. The bytes are deterministic. It does
not run or compare anything: that is `prove_onnx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import onnx
from onnx import helper

from dslc.backends.onnx_emitter import Emitter
from dslc.graph import Graph

OPSET = 18
IR_VERSION = 10


def to_onnx(
    graph: Graph,
    params: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    name: str = "model",
    doc: str = "",
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of an inference graph.

    Args:
        graph: leaves are inputs, params, constants and sizes; a graph with draws or states has no ONNX form.
        params: the value of every `param` leaf by key; written as initializers of that name.
        name: the name of the ONNX graph.
        doc: the model's `doc_string`.
        metadata: entries of `metadata_props`, written in alphabetical order.
    """
    emitter = Emitter(graph, params or {})
    for node in graph.order():
        emitter.visit(node)
    outputs = [emitter.output(output, value) for output, value in graph.outputs.items()]
    proto = helper.make_graph(
        emitter.nodes, name, emitter.inputs, outputs, initializer=[*emitter.initializers, *emitter.constants]
    )
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="dslc"
    )
    model.doc_string = doc
    for key, text in sorted((metadata or {}).items()):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    return model
