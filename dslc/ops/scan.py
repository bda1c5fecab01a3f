"""The recurrence: `scan` runs a body along time, `item` reads one of its results.

They have no kernel and no single ONNX node: a body is a graph, so the stages that compute or export graphs know them. Here
are their types, and what the operands and results of a `scan` node are.
"""

from __future__ import annotations

from dslc.ops.cost import free
from dslc.ops.ir import Attrs, Node, Region, Value
from dslc.ops.opdef import OpDef, OpError
from dslc.record import record
from dslc.tensor_type import Dim, DType, TensorType

TOKEN = TensorType(DType.BOOL)  # the type of a `scan` itself, whose value is no tensor


@record
class Scan:
    """A `scan` node taken apart.

    Attributes:
        node: the node.
        body: one step. Its `input` leaves are ``s0``... (states), ``x0``... (a step's elements of the sequences) and
            ``c0``... (the same at every step); its results are the next states, then the step's outputs.
        initial: the states before the first step.
        sequences: what the steps walk over, on axis 0.
        constants: what every step reads.
        reverse: whether steps run from the last element to the first; outputs stay aligned with the sequences.
    """

    node: Node
    body: Region
    initial: tuple[Value, ...]
    sequences: tuple[Value, ...]
    constants: tuple[Value, ...]
    reverse: bool

    @property
    def length(self) -> Dim:
        """The number of steps."""
        return self.sequences[0].shape[0]

    @property
    def operands(self) -> dict[str, Value]:
        """The operands by the names of the leaves they feed."""
        kinds = (("s", self.initial), ("x", self.sequences), ("c", self.constants))
        return {f"{kind}{i}": value for kind, values in kinds for i, value in enumerate(values)}

    @property
    def leaves(self) -> dict[str, Value]:
        """The leaves of the body by name."""
        return {node.attrs.str("name"): node.out for node in self.body.nodes if node.op == "input"}

    @property
    def next(self) -> tuple[Value, ...]:
        """The states after a step, in the body."""
        return self.body.results[: len(self.initial)]

    @property
    def outputs(self) -> tuple[Value, ...]:
        """The outputs of a step, in the body."""
        return self.body.results[len(self.initial) :]

    def result_type(self, index: int) -> TensorType:
        """The type of what an `item` reads: final states, then the outputs of all steps."""
        value = self.body.results[index]
        is_state = index < len(self.initial)
        return value.type if is_state else TensorType(value.dtype, (self.length, *value.shape))


def scan_of(node: Node) -> Scan:
    """A `scan` node taken apart."""
    body = node.attrs["body"]
    assert isinstance(body, Region), f"the body of a scan is {body!r}"
    states = node.attrs.int("states")
    end = states + node.attrs.int("sequences")
    initial, sequences, constants = node.inputs[:states], node.inputs[states:end], node.inputs[end:]
    return Scan(node, body, initial, sequences, constants, node.attrs.bool("reverse"))


def _scan_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    body, states, sequences = attrs["body"], attrs.int("states"), attrs.int("sequences")
    assert isinstance(body, Region), f"the body of a scan is {body!r}"
    if sequences < 1 or states + sequences > len(types) or states > len(body.results):
        raise OpError(f"{states} states and {sequences} sequences do not fit {len(types)} operands")
    walked = types[states : states + sequences]
    for position, operand in enumerate(walked):
        if not operand.rank or operand.shape[0] != walked[0].shape[0]:
            raise OpError(f"{operand} is no sequence as long as {walked[0]}", operand=states + position)
    _check_leaves(body, _leaf_types(types, states, sequences))
    for position in range(states):
        if body.results[position].type != types[position]:
            raise OpError(f"state {position} is {types[position]} and becomes {body.results[position].type}")
    attrs.bool("reverse")
    return TOKEN


def _leaf_types(types: tuple[TensorType, ...], states: int, sequences: int) -> dict[str, TensorType]:
    end = states + sequences
    expected = {f"s{i}": operand for i, operand in enumerate(types[:states])}
    expected |= {f"x{i}": TensorType(t.dtype, t.shape[1:]) for i, t in enumerate(types[states:end])}
    return expected | {f"c{i}": operand for i, operand in enumerate(types[end:])}


def _check_leaves(body: Region, expected: dict[str, TensorType]) -> None:
    found = {node.attrs.str("name"): node.out.type for node in body.nodes if node.op == "input"}
    if found != expected:
        wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        name = wrong[0]
        raise OpError(f"the body reads {name} as {found.get(name, 'nothing')}, it is {expected.get(name, 'not there')}")


def _item_type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    if types != (TOKEN,) or attrs.int("index") < 0:
        raise OpError("`item` reads a result of a `scan`")
    return TensorType(attrs.dtype("dtype"), attrs.shape("sizes"))


SCAN = (
    OpDef(
        name="scan",
        doc="""A body run once for every element of the sequences (axis 0), each step with the states the one before left.

        Operands: the initial states, the sequences, then what every step reads. Its own value is no tensor: `item` reads the
        final states and the outputs of all steps. Over no elements the final states are the initial ones.
        Gradient: a `scan` in the other direction over the values the forward steps computed.""",
        infer=_scan_type,
        flops=free,
        operands=("*operands",),
        call=False,
        structural=True,
    ),
    OpDef(
        name="item",
        doc="""A result of a `scan`: `index` counts the final states, then the outputs stacked along a new axis 0.""",
        infer=_item_type,
        flops=free,
        operands=("scan",),
        call=False,
        structural=True,
    ),
)
