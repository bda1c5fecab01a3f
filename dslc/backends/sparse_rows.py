"""The update of a table of which a batch names few rows -> the update of these rows, where that is the same to the last bit.

The gradient of an embedding is zero in all rows but those that ids name. SGD and Adagrad leave an element alone whose gradient is
zero, so they need not look at the others. That is not known of optimizers by name but proved on their graphs: what follows from
a gradient of zero is worked out operator by operator, and every update has to be the old value. With momentum, running means or
weight decay it is not, and with a limit on the norm the gradient is another one.

Rows that are named twice are worked out twice, to the same bits, so that sizes are those of the ids. For each id that takes as long
as passing over 100 elements of the table, beside what the whole update takes for it, too. How many times quicker updates of SGD and
Adagrad were, for tables of 100,000 elements and more (8 to 256 columns; 100 to 10,000 ids, even or as the words of texts fall):

| elements of the table per id | below 64 | to 128 | to 256 | to 512 | to 4,096 | more |
|---|---|---|---|---|---|---|
| median | 0.7 | 0.8 | 1.2 | 1.7 | 3.7 | 26 |
| from, to | 0.4, 1.5 | 0.4, 3.7 | 0.4, 4.1 | 0.8, 6.7 | 1.0, 34 | 3.3, 138 |

`python -m benchmarks.sparse_rows` measures whole steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from dslc.graph import Builder, Graph
from dslc.graph.arrays import constant_array
from dslc.ops.ir import Data, Node, Value
from dslc.tensor_type import Dim, count, evaluate, symbols

_PER_ID = 256  # elements of a table
_LONG = 100_000  # likewise: on a smaller one, the calls themselves take longer
_USUAL = 32  # what a run-time size is taken for

#: (old values of the states and the gradient, for some elements) -> their new values.
Update: TypeAlias = Callable[[Mapping[str, Value], Value], Mapping[str, Value]]


def pays(gradient: Node) -> bool:
    """Whether a gradient is one of few rows of a large table."""
    if gradient.op != "scatter_add":
        return False
    table, ids = gradient.out.shape, gradient.inputs[1].shape
    try:
        elements, named = _usual(count(table)), _usual(count(ids))
    except ValueError:  # a quotient that is not whole for these
        return False
    return elements >= max(_LONG, _PER_ID * named)


def _usual(dim: Dim) -> int:
    return evaluate(dim, dict.fromkeys(symbols(dim), _USUAL))


def update_rows(
    builder: Builder, values: Value, ids: Value, old: Mapping[str, Value], update: Update
) -> dict[str, Value]:
    """The tables `old` with the rows updated that ids name; the gradient is ``scatter_add(values, ids)``."""
    rows = next(iter(old.values())).shape[0]
    gradient = builder.apply("sum_by_id", values, ids, rows=rows)
    new = update({name: builder.apply("gather", table, ids) for name, table in old.items()}, gradient)
    return {name: builder.apply("scatter_update", old[name], value, ids) for name, value in new.items()}


# ---------------------------------------------------------------------------------------------- what a gradient of zero does


class _Sign(Enum):
    """What is known of all elements of a value, as long as numbers are finite."""

    ZERO = "zero"
    POSITIVE = "positive"
    NOT_NEGATIVE = "not negative"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class _Old:
    """A value that is a state as it was."""

    state: str


_Known: TypeAlias = _Sign | _Old
_FROM_ZERO = frozenset({"neg", "square", "sqrt", "abs", "sign"})
_NEVER_NEGATIVE = frozenset({"square", "sqrt", "abs"})


def leaves_alone(graph: Graph, gradient: Value, updates: Mapping[str, Value]) -> bool:
    """Whether updates (state name -> new value) are the old value, to the last bit, wherever the gradient is zero.

    The sign of a zero aside. What leads from the gradient and the states to the updates works element by element.
    """
    known: dict[int, _Known] = {}
    needed = graph.ancestors(updates.values())
    for node in graph.order():
        if node.id in needed:
            operands = [known[value.id] for value in node.inputs]
            known[node.id] = _Sign.ZERO if node.id == gradient.id else _known(node, operands)
    return all(known[value.id] == _Old(name) for name, value in updates.items())


def _known(node: Node, operands: list[_Known]) -> _Known:
    match node.op, operands:
        case "state", _:
            return _Old(node.attrs.str("name"))
        case "constant", _ if not isinstance(node.attrs["value"], Data):
            return _sign_of(node)
        case op, [_Sign.ZERO] if op in _FROM_ZERO:
            return _Sign.ZERO
        case op, [_] if op in _NEVER_NEGATIVE:
            return _Sign.NOT_NEGATIVE
        case ("mul", [_Sign.ZERO, _] | [_, _Sign.ZERO]) | ("div", [_Sign.ZERO, _Sign.POSITIVE]):
            return _Sign.ZERO
        case ("add" | "sub", [other, _Sign.ZERO]) | ("add", [_Sign.ZERO, other]):
            return other
        case "add", [_Sign.POSITIVE, _Sign.POSITIVE | _Sign.NOT_NEGATIVE] | [_Sign.NOT_NEGATIVE, _Sign.POSITIVE]:
            return _Sign.POSITIVE
        case _:
            return _Sign.ANY


def _sign_of(constant: Node) -> _Sign:
    value = float(constant_array(constant))
    if value == 0:
        return _Sign.ZERO
    return _Sign.POSITIVE if value > 0 else _Sign.ANY
