"""A training within so many bytes: as it is, else with cheap results computed again, else a message that says what takes them.

What is counted: parameters and what the optimizer keeps, and inputs, results and all values between them of every program of a
full batch. Not counted: Python and its libraries, the data itself, and what kernels work in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from dslc.backends.numpy_forms import specialise
from dslc.backends.pieces import update_in_pieces
from dslc.backends.plan import Plan, plan
from dslc.backends.plan.model import Buffer
from dslc.backends.sparse_rows import pays
from dslc.check.scope import source_text
from dslc.diagnostics import Diagnostic, DslcError, Help, Label, Note
from dslc.driver.data import Opened
from dslc.driver.models import static_shape
from dslc.driver.training import Prepared, compiled
from dslc.graph import Graph
from dslc.ops.ir import Node
from dslc.passes import optimize
from dslc.passes.remat import recompute
from dslc_runtime.data.parts import Part
from dslc_runtime.program import Program

_SHOWN = 4  # tensors that are told
_UNNAMED = {"pack": "the gradients of all parameters"}


def within(prepared: Prepared, opened: Opened, budget: int) -> Prepared:
    """The training, with cheap results computed again if it does not fit otherwise.

    Raises:
        DslcError: it does not fit at all (DL6100).
    """
    part = opened.part("train")
    rows = min(prepared.typed.batch or len(part), len(part))
    if _needed(prepared, part, rows) <= budget:
        return prepared
    again = prepared if prepared.remat else recomputing(prepared)
    if _needed(again, part, rows) <= budget:
        return again
    raise DslcError([_too_little(again, part, rows, budget)])


def recomputing(prepared: Prepared) -> Prepared:
    """The same training, computing cheap results of the forward pass again for the backward pass: equal bytes in less memory."""
    return replace(prepared, steps=compiled(prepared.graphs.steps, remat=True), remat=True)


def _needed(prepared: Prepared, part: Part, rows: int) -> int:
    return _held(prepared) + _taken(_updating(prepared), part, rows) + _taken([prepared.inference], part, rows)


def _updating(prepared: Prepared) -> list[Program]:
    """The programs of steps and updates."""
    return [*prepared.steps, *prepared.applied]


def _taken(programs: Iterable[Program], part: Part, rows: int) -> int:
    """Bytes of what programs take and compute, each in memory of its own."""
    return sum(program.memory_bytes(_sizes(program, part, rows)) for program in programs)


def _held(prepared: Prepared) -> int:
    """Bytes of parameters, buffers and what the optimizer keeps."""
    state = prepared.state
    arrays = {
        id(array): array.nbytes for array in (*state.arenas.values(), *state.params.values()) if array.base is None
    }
    return sum(arrays.values())


def _sizes(program: Program, part: Part, rows: int) -> dict[str, int]:
    shapes = {name: (rows, *part.fields[name].shape[1:]) for name in program.inputs if name in part.fields}
    return program.sizes_of(shapes) | dict.fromkeys(program.free_sizes, rows)


# ---------------------------------------------------------------------------------------------- what takes it


def _too_little(prepared: Prepared, part: Part, rows: int, budget: int) -> Diagnostic:
    typed = prepared.typed
    needed, shown = _needed(prepared, part, rows), _largest(prepared, part, rows)
    message = (
        f"training `{typed.name}` in batches of {rows} needs {megabytes(needed)}, and {megabytes(budget)} are allowed"
    )
    notes = [
        Note("this is with cheap results of the forward pass computed again for the backward pass (`--remat`)"),
        Note(f"parameters and what the optimizer keeps take {megabytes(_held(prepared))} with any batch"),
        Note(
            f"training steps take {megabytes(_taken(_updating(prepared), part, rows))}, and the evaluation beside them"
            f" {megabytes(_taken([prepared.inference], part, rows))}; `dslc info` tells of a step alone, without `--remat`"
        ),
        *(Note(tensor.text()) for tensor in shown),
    ]
    helps = (*_by_rows(prepared, shown), _help(prepared, part, rows, budget))
    return Diagnostic("DL6100", message, (Label(typed.span, ""),), (*notes, *helps))


def _by_rows(prepared: Prepared, shown: Sequence[_Tensor]) -> Sequence[Help]:
    """What would take less where the gradient of all rows of an embedding is among the largest tensors."""
    dense = {tensor.node.op for tensor in shown} & {"pack", "scatter_add"}
    tables = [node for graph in prepared.graphs.steps for node in _updated_whole(optimize(graph))]
    if not dense or not tables or prepared.typed.accumulate > 1:
        return ()
    where = f" in layer `{tables[0].layer}`" if tables[0].layer else ""
    text = (
        f"every row of the embedding{where} is updated at each step: `sgd` and `adagrad`, without `clip_norm`, momentum and"
        " weight decay, update those that the batch names, and need less memory for it"
    )
    return (Help(text),)


def _updated_whole(graph: Graph) -> Iterator[Node]:
    """The gradients of large tables, as long as most of all gradients, of which batches name few rows: where all are updated."""
    if any(node.op == "scatter_update" for node in update_in_pieces(graph).order()):
        return
    for pack in graph.order():
        if pack.op == "pack":
            for node in map(graph.producer, pack.inputs):
                if pays(node) and 2 * _elements(node) > _elements(pack):
                    yield node


def _elements(node: Node) -> int:
    """Of a tensor without run-time sizes, such as a gradient of parameters."""
    return prod(static_shape(node.out.type))


def _help(prepared: Prepared, part: Part, rows: int, budget: int) -> Help:
    low, high = 0, rows  # `low` fits, or is no batch at all; `high` does not fit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _needed(prepared, part, middle) <= budget else (low, middle)
    if low == 0:
        return Help("no batch is small enough: make the model smaller, or choose an optimizer that keeps less")
    path = f"train.{prepared.typed.name}.batch"
    more = "" if prepared.typed.accumulate > 1 else "; `accumulate` makes one update of several batches"
    return Help(f"batches of {low} fit: `--set {path}={low}`{more}")


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor that is live when most bytes are."""

    node: Node
    bytes: int

    def text(self) -> str:
        layer = f" in layer `{self.node.layer}`" if self.node.layer else ""
        line = f", line {self.node.span.line} of {self.node.span.source.name}" if self.node.span is not None else ""
        return f"at the worst time, {megabytes(self.bytes)} for {self._words()}, {self.node.out.type}{layer}{line}"

    def _words(self) -> str:
        """What it is in the words of the program: its name, or the expression that it is a part of."""
        if self.node.name:
            return f"`{self.node.name}`"
        if self.node.op in _UNNAMED:
            return _UNNAMED[self.node.op]
        return source_text(self.node.span) if self.node.span is not None else f"a result of `{self.node.op}`"


def _largest(prepared: Prepared, part: Part, rows: int) -> Sequence[_Tensor]:
    """The largest of the tensors that are live together at the worst time of the step that needs most."""
    pairs = zip(prepared.steps, prepared.graphs.steps, strict=True)
    known = ((program, graph, _sizes(program, part, rows)) for program, graph in pairs)
    _, graph, sizes = max(known, key=lambda each: each[0].memory_bytes(each[2]))
    return sorted(_live(graph, sizes), key=lambda tensor: -tensor.bytes)[:_SHOWN]


def _live(graph: Graph, sizes: Mapping[str, int]) -> Iterator[_Tensor]:
    made = plan(recompute(specialise(optimize(graph))))
    first = _first_nodes(made)
    for buffer in made.live_at_most(sizes):
        if buffer.id in first:
            yield _Tensor(first[buffer.id], buffer.bytes(sizes))


def _first_nodes(made: Plan) -> dict[int, Node]:
    """Buffer id -> the first node whose result lies in it, one with a name rather than another."""
    found: dict[int, Node] = {}
    for number, place in made.places.items():
        node = made.graph.nodes[number]
        if isinstance(place, Buffer) and (place.id not in found or (node.name and not found[place.id].name)):
            found[place.id] = node
    return found


def megabytes(count: int) -> str:
    """An amount of memory for people: 10^6 bytes are a megabyte."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
