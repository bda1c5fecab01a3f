"""Recurrences that ONNX has an operator for: `lstm`, `gru` and `rnn`, which take the place of scans in a graph to be exported.

They hold what a `passes.recurrent` found: x [T, B, D], the weights [D, g H] and [H, g H] of g gates as the library's layers
keep them, then what `given` names. ONNX wants the weights as [1, g H, D] with gates in an order of its own, so that the named
tensors are rearranged by nodes in front. Source: the ONNX operators LSTM-14, GRU-14 and RNN-14.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.ops.ir import Attrs, Node, OnnxEmitter
from dslc.ops.opdef import OnnxRule, OpDef, OpError
from dslc.record import record
from dslc.tensor_type import Dim, DType, Shape, TensorType

#: What an operator may be given behind `x` and the two weights, in this order; ONNX's names are B (both biases),
#: sequence_lens, initial_h and initial_c.
GIVEN = ("bias", "bias_hh", "lengths", "h0", "c0")
#: What may be read: the hidden states of all steps, 0 beyond a sample's length; the last hidden state; the last cell.
RESULTS = ("y", "h", "c")


@record
class _Form:
    """How ONNX writes a recurrence.

    Attributes:
        gates: which of our gates each of ONNX's is, in ONNX's order.
        results: how many of `RESULTS` it has.
    """

    op_type: str
    gates: tuple[int, ...]
    results: int


_LSTM = _Form("LSTM", (0, 3, 1, 2), 3)  # ours i f g o, ONNX's i o f c
_GRU = _Form("GRU", (1, 0, 2), 2)  # ours r z n, ONNX's z r h
_RNN = _Form("RNN", (0,), 2)


def _type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    x, weight, recurrent = types[:3]
    units = recurrent.shape[0]
    if x.rank != 3 or weight.rank != 2 or recurrent.rank != 2 or weight.shape[1] != recurrent.shape[1]:
        raise OpError(f"{weight} and {recurrent} are no weights for {x}")
    steps: Shape = (x.shape[0],) if attrs.str("result") == "y" else ()
    return TensorType(x.dtype, (*steps, x.shape[1], units))


def _onnx(form: _Form) -> OnnxRule:
    def emit(onnx: OnnxEmitter, node: Node, names: tuple[str, ...]) -> str:
        shared = {name: value for name, value in node.attrs.items() if name != "result"}
        results = onnx.once((node.op, names, Attrs(shared)), lambda: _node(onnx, form, node, names))
        result = RESULTS.index(node.attrs.str("result"))
        return onnx.node("Squeeze", results[result], onnx.constant([1 if result == 0 else 0], DType.I64))

    return emit


def _node(onnx: OnnxEmitter, form: _Form, node: Node, names: tuple[str, ...]) -> tuple[str, ...]:
    """The ONNX node of a recurrence in one direction."""
    x, weight, recurrent = node.inputs[:3]
    units, steps = recurrent.shape[0], x.shape[0]
    given = dict(zip(_words(node.attrs, "given"), names[3:], strict=True))
    first = onnx.constant([0], DType.I64)
    operands = [
        names[0],
        _weight(onnx, form, names[1], weight.shape),
        _weight(onnx, form, names[2], recurrent.shape),
        _biases(onnx, form, given, recurrent.shape, x.dtype),
        _lengths(onnx, given.get("lengths", ""), steps),
        *(onnx.node("Unsqueeze", given[name], first) if name in given else "" for name in ("h0", "c0")),
    ]
    while not operands[-1]:
        operands.pop()
    attributes: dict[str, int | str | tuple[str, ...]] = {"hidden_size": _number(units)}
    if node.attrs.bool("reverse"):
        attributes["direction"] = "reverse"
    if activations := _words(node.attrs, "activations"):
        attributes["activations"] = activations
    if node.attrs.bool("reset_after"):
        attributes["linear_before_reset"] = 1
    return onnx.several(form.op_type, form.results, *operands, **attributes)


def _number(size: Dim) -> int:
    assert isinstance(size, int), f"a weight has the size {size}"
    return size


def _words(attrs: Attrs, name: str) -> tuple[str, ...]:
    value = attrs[name]
    assert isinstance(value, tuple), f"{name} is {value!r}"
    return tuple(word for word in value if isinstance(word, str))


def _weight(onnx: OnnxEmitter, form: _Form, name: str, shape: Shape) -> str:
    """[n, g H] in our order of gates as [1, g H, n] in ONNX's."""
    size, gates = _number(shape[0]), len(form.gates)
    units = _number(shape[1]) // gates
    apart = onnx.node("Reshape", name, onnx.constant([size, gates, units], DType.I64))
    if gates > 1:
        apart = onnx.node("Gather", apart, onnx.constant(form.gates, DType.I64), axis=1)
    turned = onnx.node("Transpose", apart, perm=(1, 2, 0))
    return onnx.node("Reshape", turned, onnx.constant([1, gates * units, size], DType.I64))


def _biases(onnx: OnnxEmitter, form: _Form, given: Mapping[str, str], recurrent: Shape, dtype: DType) -> str:
    """The biases of input and state side by side, [1, 2 g H]; a layer of one bias has zeros for the other."""
    if "bias" not in given:
        return ""
    gates, units = len(form.gates), _number(recurrent[0])

    def turned(name: str) -> str:
        apart = onnx.node("Reshape", given[name], onnx.constant([gates, units], DType.I64))
        if gates > 1:
            apart = onnx.node("Gather", apart, onnx.constant(form.gates, DType.I64), axis=0)
        return onnx.node("Reshape", apart, onnx.constant([1, gates * units], DType.I64))

    zeros = onnx.node("Expand", onnx.constant(0, dtype), onnx.constant([1, gates * units], DType.I64))
    other = turned("bias_hh") if "bias_hh" in given else zeros
    return onnx.node("Concat", turned("bias"), other, axis=1)


def _lengths(onnx: OnnxEmitter, name: str, steps: Dim) -> str:
    """The number of steps of each sample, at most all of them, as ONNX wants it: i32."""
    if not name:
        return ""
    return onnx.cast(onnx.node("Min", onnx.cast(name, DType.I64), onnx.size(steps)), DType.I32)


def _operator(name: str, form: _Form, doc: str) -> OpDef:
    return OpDef(
        name=name,
        doc=doc,
        infer=_type,
        operands=("x", "weight_ih", "weight_hh", *(f"{given}?" for given in GIVEN)),
        onnx=_onnx(form),
        export_only=True,
        call=False,
    )


RECURRENT = (
    _operator(
        "lstm", _LSTM, """Long short-term memory along axis 0, ONNX's LSTM: what `LSTM` is in an exported graph."""
    ),
    _operator("gru", _GRU, """Gated recurrent units along axis 0, ONNX's GRU: what `GRU` is in an exported graph."""),
    _operator("rnn", _RNN, """A plain recurrence along axis 0, ONNX's RNN: what `RNN` is in an exported graph."""),
)
