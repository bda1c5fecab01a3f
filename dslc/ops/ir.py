"""Values and nodes of a computation graph as plain data, and what a rule of an operator may ask for.

They lie below the graph itself so that an operator's rules (types, gradient, export) can speak of nodes without knowing
how a graph is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import Dim, DType, Shape, Size, TensorType


@record
class Data:
    """The elements of a constant array: little-endian bytes in C order, typed by the node's output."""

    bytes: bytes

    def __repr__(self) -> str:
        return f"Data({len(self.bytes)} bytes)"


Attr: TypeAlias = "None | bool | int | float | str | DType | Size | Data | Region | tuple[Attr, ...]"


def _same(a: Attr, b: Attr) -> bool:
    """Whether two attributes are one to a graph, to which 1, 1.0 and True are different, and 0.0 and -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return repr(a) == repr(b) if isinstance(a, float) else a == b


class Attrs(Mapping[str, Attr]):
    """Attributes of a node: an immutable, hashable mapping in alphabetical order."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[str, Attr] | None = None) -> None:
        self._items: dict[str, Attr] = dict(sorted((items or {}).items()))
        # 1, 1.0 and True are equal to Python and different to a graph.
        self._hash = hash(self._key())

    def _key(self) -> tuple[tuple[str, type, Attr], ...]:
        return tuple((name, type(value), value) for name, value in self._items.items())

    def __getitem__(self, name: str) -> Attr:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Attrs) or self._hash != other._hash or self._items.keys() != other._items.keys():
            return False
        return all(map(_same, self._items.values(), other._items.values()))

    def __repr__(self) -> str:
        return f"Attrs({self._items!r})"

    def int(self, name: str) -> int:
        """The attribute `name`, which is an integer."""
        value = self._items[name]
        assert isinstance(value, int), f"{name} is {value!r}"
        return value

    def float(self, name: str) -> float:
        """The attribute `name`, which is a number."""
        value = self._items[name]
        assert isinstance(value, int | float), f"{name} is {value!r}"
        return float(value)

    def str(self, name: str) -> str:
        """The attribute `name`, which is a string."""
        value = self._items[name]
        assert isinstance(value, str), f"{name} is {value!r}"
        return value

    def bool(self, name: str) -> bool:
        """The attribute `name`, which is true or false."""
        value = self._items[name]
        assert isinstance(value, bool), f"{name} is {value!r}"
        return value

    def dtype(self, name: str) -> DType:
        """The attribute `name`, which is an element type."""
        value = self._items[name]
        assert isinstance(value, DType), f"{name} is {value!r}"
        return value

    def ints(self, name: str) -> tuple[int, ...]:
        """The attribute `name`, which is a list of integers (axes)."""
        value = self._items[name]
        assert isinstance(value, tuple), f"{name} is {value!r}"
        return tuple(v for v in value if isinstance(v, int))

    def dim(self, name: str) -> Dim:
        """The attribute `name`, which is a size."""
        value = self._items[name]
        assert isinstance(value, int | Size), f"{name} is {value!r}"
        return value

    def shape(self, name: str) -> Shape:
        """The attribute `name`, which is a list of sizes."""
        value = self._items[name]
        assert isinstance(value, tuple), f"{name} is {value!r}"
        return tuple(v for v in value if isinstance(v, int | Size))


@record
class Value:
    """A tensor of a graph: the output of exactly one node. Ids count up in the order values were made."""

    id: int
    type: TensorType

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def shape(self) -> Shape:
        return self.type.shape


@record
class Node:
    """One application of an operator. `id` is the id of its first output.

    Leaves are nodes without inputs: `input` (attrs name), `param` (key), `state` (name), `constant` (value), `draw`
    (a random tensor: dist, stream and the distribution's numbers), `size` (a run-time size as a scalar).
    `name` is the user's name of the value, kept for messages and text forms, and `layer` the path of the layer that the node
    was made for ("" for a model itself, None outside of models), kept for reports; they have no meaning.
    """

    op: str
    inputs: tuple[Value, ...]
    attrs: Attrs
    outputs: tuple[Value, ...]
    span: Span | None = None
    name: str = ""
    layer: str | None = None

    @property
    def id(self) -> int:
        return self.outputs[0].id

    @property
    def out(self) -> Value:
        """The only output."""
        (value,) = self.outputs
        return value


class Region:
    """A graph inside a node, as plain data: the body of a `scan`. Equal where it computes the same in the same way.

    Attributes:
        nodes: inputs before users; `input` leaves are what the node hands in, by name.
        results: what the node takes out, in order.
    """

    __slots__ = ("_hash", "_key", "nodes", "results")

    def __init__(self, nodes: tuple[Node, ...], results: tuple[Value, ...]) -> None:
        self.nodes = nodes
        self.results = results
        at = {node.id: index for index, node in enumerate(nodes)}
        lines = ((node.op, tuple(at[v.id] for v in node.inputs), node.attrs, node.out.type) for node in nodes)
        self._key = (*lines, tuple(at[value.id] for value in results))
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self._hash == other._hash and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Region({self._key!r})"


class Builder(Protocol):
    """The only maker of nodes, as an operator's rules see it. It infers types and shares equal nodes."""

    def apply(self, op: str, *inputs: Value, **attrs: Attr) -> Value:
        """The value of an operator applied to values of the same graph."""
        ...

    def constant(self, value: float, dtype: DType) -> Value:
        """A scalar constant."""
        ...

    def size(self, size: Dim, dtype: DType) -> Value:
        """A size as a scalar."""
        ...

    def scan(
        self, step: StepRule, initial: Sequence[Value], sequences: Sequence[Value], shared: Sequence[Value] = ()
    ) -> list[Value]:
        """A step applied along axis 0 of sequences: the final states, then the outputs of all steps stacked along axis 0."""
        ...


#: One step of a `scan`, built in a graph of its own: (builder, states, elements of the sequences, what every step reads) ->
#: the next states, and the step's outputs.
StepRule: TypeAlias = Callable[
    [Builder, Sequence[Value], Sequence[Value], Sequence[Value]], tuple[Sequence[Value], Sequence[Value]]
]


class OnnxEmitter(Protocol):
    """Makes ONNX nodes at opset 18; values are named by strings."""

    def node(
        self, op_type: str, *inputs: str, **attributes: int | float | str | Sequence[int] | Sequence[float]
    ) -> str:
        """Add a node with one output and return the output's name; an input "" is one left out."""
        ...

    def several(
        self, op_type: str, outputs: int, *inputs: str, **attributes: int | float | str | Sequence[str]
    ) -> tuple[str, ...]:
        """Add a node with several outputs and return their names."""
        ...

    def once(self, key: object, make: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """What `make` gives the first time, and then again and again: the outputs of a node that several nodes read."""
        ...

    def constant(self, value: float | Sequence[int] | Sequence[float], dtype: DType) -> str:
        """A scalar (a number) or 1-d (a sequence) constant tensor."""
        ...

    def size(self, dim: Dim) -> str:
        """A size as an i64 scalar, worked out from the shapes of the inputs where it has symbols."""
        ...

    def shape(self, shape: Shape) -> str:
        """A shape as a 1-d i64 tensor."""
        ...

    def cast(self, name: str, dtype: DType) -> str:
        """The tensor converted to another element type."""
        ...
