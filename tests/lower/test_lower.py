"""Lowering: typed values become nodes one to one."""

from __future__ import annotations

from typing import Any

from dslc.check.typed import Body, Origin, TypedValue
from dslc.graph import Builder, verify
from dslc.lower import lower, lower_into
from dslc.ops.ir import Attrs
from dslc.source import Source, Span
from dslc.tensor_type import DType, TensorType, symbol

B = symbol("B")
MATRIX = TensorType(DType.F32, (B, 4))
SPAN = Span(Source("t.dl", "h = f(x)"), 4, 8)


def value(type: TensorType, op: str, *inputs: TypedValue, name: str = "", **attrs: Any) -> TypedValue:
    origins: tuple[Origin | None, ...] = (None,) * type.rank
    return TypedValue(type, op, inputs, Attrs(attrs), SPAN, name, origins)


def body(*values: TypedValue) -> Body:
    return Body(training=True, values=list(values))


def test_leaves_operators_names_and_spans_are_carried_over():
    x = TypedValue(MATRIX, "input", (), Attrs({"name": "x"}), SPAN, "x")
    w = value(TensorType(DType.F32, (4, 4)), "param", key="w")
    h = value(MATRIX, "matmul", x, w, name="h")
    graph = lower(body(x, w, h), {"h": h})
    verify(graph, "lower")
    node = graph.producer(graph.outputs["h"])
    assert (node.op, node.name, node.span) == ("matmul", "h", SPAN)
    assert [graph.producer(v).op for v in node.inputs] == ["input", "param"]


def test_a_random_operator_becomes_a_draw_of_its_stream():
    x = TypedValue(MATRIX, "input", (), Attrs({"name": "x"}), SPAN)
    mask = value(MATRIX, "random_bernoulli", x, p=0.8, value=1.25, stream="net/drop/0")
    graph = lower(body(x, mask), {"mask": mask})
    (node,) = graph.leaves("draw")
    assert node.attrs == Attrs({"dist": "bernoulli", "p": 0.8, "value": 1.25, "stream": "net/drop/0"})
    assert node.out.type == MATRIX


def test_a_composite_operator_gives_its_name_to_its_last_node_only():
    x = TypedValue(MATRIX, "input", (), Attrs({"name": "x"}), SPAN)
    loss = value(TensorType(DType.F32), "mse", x, x, name="loss")
    graph = lower(body(x, loss), {"loss": loss})
    assert [node.name for node in graph.order() if node.name] == ["loss"]
    assert graph.producer(graph.outputs["loss"]).name == "loss"


def test_parameters_can_stand_for_values_that_are_there_already():
    w = value(MATRIX, "param", key="w")
    u = value(MATRIX, "param", key="u")
    b = Builder()
    known = b.leaf("state", MATRIX, name="params")
    values = lower_into(b, body(w, u), {"w": known})
    assert values[w] is known
    assert b.graph.producer(values[u]).op == "param"


def test_a_long_body_needs_no_deep_stack():
    values = [TypedValue(MATRIX, "input", (), Attrs({"name": "x"}), SPAN)]
    for _ in range(5000):
        values.append(value(MATRIX, "tanh", values[-1]))
    assert len(lower(body(*values), {"y": values[-1]}).nodes) == 5001
