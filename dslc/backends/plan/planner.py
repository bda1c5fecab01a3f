"""Planning: the steps of a plan, in order, from the places that were decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dslc.backends.plan.aliases import Alias, aliases
from dslc.backends.plan.loops import TILE, Span, loops
from dslc.backends.plan.memory import Memory, allot, has_step
from dslc.backends.plan.model import Call, Copy, Fill, Finite, Host, Leaf, Loop, Part, Place, Plan, Step, Storage, View
from dslc.backends.plan.places import START, Run
from dslc.backends.plan.schedule import Schedule, schedule
from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc.ops import OPS
from dslc.ops.ir import Attrs, Node, Value
from dslc.tensor_type import Dim, count


def plan(graph: Graph, *, tile: int = TILE) -> Plan:
    """Plan a graph. Long arrays are worked on in tiles of `tile` elements.

    Raises:
        InternalError: an operator of the graph has no kernel.
    """
    when = schedule(graph)
    alias = aliases(when.order)
    leaves = _leaves(graph, when)
    memory = allot(_run(graph, when, alias, leaves, tile), when)
    timed = _with_check(graph, _steps(memory), memory)
    return Plan(
        graph=graph,
        prologue=tuple(_prologue(memory)),
        steps=tuple(step for _, step in timed),
        times=tuple(time for time, _ in timed),
        places={node.id: memory.place(node.out) for node in when.order if _is_array(node, memory)},
        outputs={name: memory.output(name) for name in graph.outputs},
        leaves=leaves,
        scalars=when.scalars,
        buffers=tuple(memory.buffers.values()),
        parts=tuple(memory.parts.values()),
    )


def _is_array(node: Node, memory: Memory) -> bool:
    if node.op == "scan":
        return False  # its items are
    return node.id not in memory.when.host or node.op == "constant" or ("fill", node.id) in memory.buffers


def _leaves(graph: Graph, when: Schedule) -> tuple[Node, ...]:
    """The leaves that are arrays. Inputs, parameters and states are the program's face, used or not."""
    live = {node.id for node in when.order}
    found = [
        node
        for i, node in sorted(graph.nodes.items())
        if node.op in ("input", "param", "state") or (node.op in ("constant", "draw") and i in live)
    ]
    known = {node.attrs.str("name") for node in found if node.op == "state"}
    fresh = max(graph.nodes, default=-1)
    for name, value in graph.updates.items():
        if name not in known:
            fresh += 1
            found.append(Node("state", (), Attrs({"name": name}), (Value(fresh, value.type),)))
    return tuple(node for node in found if node not in when.scalars)


def _run(graph: Graph, when: Schedule, alias: Mapping[int, Alias], leaves: tuple[Node, ...], tile: int) -> Run:
    """The nodes with a step of their own at every run."""
    nodes = [node for node in when.order if has_step(node, alias) and node.id not in when.static]
    for node in nodes:
        if node.id not in when.host and node.op != "scan" and OPS[node.op].kernel is None:
            raise InternalError("plan", f"{node.op} %{node.id}", "the operator has no kernel", node.span)
    times = {node.id: time for time, node in enumerate(nodes)}
    times |= {node.id: times[node.inputs[0].id] for node in when.order if node.op == "item"}
    owned = {i: time for i, time in times.items() if i not in when.host and graph.nodes[i].op != "scan"}
    loss = graph.outputs.get("loss")
    known = START if loss is None else times.get(alias[loss.id].base, START)
    states = {node.attrs.str("name"): node for node in leaves if node.op == "state"}
    return Run(graph, nodes, alias, owned, states, known, loops(nodes, alias, tile), tile)


def _prologue(memory: Memory) -> Iterator[Step]:
    """What depends on sizes and constants alone."""
    when = memory.when
    for node in when.order:
        if node.id not in when.static:
            continue
        if node.id in when.host:
            if node.op != "constant":
                yield Host(node)
            if ("fill", node.id) in memory.buffers:
                yield Fill(node.out, memory.buffers["fill", node.id])
        elif has_step(node, memory.run.alias):
            yield Call(node)


def _steps(memory: Memory) -> Iterator[tuple[int, Step]]:
    """Everything a run does, with times."""
    run = memory.run
    for step in _save(memory):
        yield START, step
    filled: set[int] = set()
    loops_at = {loop.first: loop for loop in run.loops}
    time = 0
    while time < run.end:
        loop = loops_at.get(time, Span(time, time, 0))
        for step in _at(memory, loop, filled):
            yield time, step
        time = loop.last + 1
    yield from ((run.end, step) for step in _finish(memory, filled))


def _at(memory: Memory, span: Span, filled: set[int]) -> Iterator[Step]:
    """The steps of one node, or of a loop."""
    nodes = memory.run.nodes[span.first : span.last + 1]
    node = nodes[0]
    if node.id in memory.when.host:
        yield Host(node)
        return
    for value in dict.fromkeys(value for node in nodes for value in node.inputs):
        yield from _fill(memory, value, filled)
    if len(nodes) > 1:
        yield Loop(tuple(map(Call, nodes)), span.length, memory.run.tile)
    elif node.op == "pack":
        yield from _pack(memory, node)
    else:
        yield Call(node)


def _save(memory: Memory) -> Iterator[Step]:
    """Copies of what may be gone later: results and new states that are the caller's memory or old states."""
    graph = memory.run.graph
    for kind, values in (("output", graph.outputs), ("aside", graph.updates)):
        for name, value in values.items():
            if (kind, name) in memory.buffers and memory.run.alias[value.id].base not in memory.when.host:
                yield Copy(value, memory.place(value), memory.buffers[kind, name])


def _fill(memory: Memory, value: Value, filled: set[int]) -> Iterator[Step]:
    """A host number that is read for the first time."""
    base = memory.run.alias[value.id].base
    buffer = memory.buffers.get(("fill", base))
    if buffer is not None and not buffer.kept and base not in filled:
        filled.add(base)
        yield Fill(memory.run.graph.nodes[base].out, buffer)


def _pack(memory: Memory, node: Node) -> Iterator[Step]:
    """Copies of the operands that could not be computed in their segments."""
    vector = memory.groups[node.id]
    offset: Dim = 0
    for value in node.inputs:
        group = memory.groups.get(memory.run.alias[value.id].base)
        segment = group.segment if group is not None else None
        if segment is None or segment[0] is not vector or segment[1] != offset:
            part = memory.part(("copy", (node.id, offset)), vector, offset, value.type)
            yield Copy(value, memory.place(value), part)
        offset = offset + count(value.shape)


def _finish(memory: Memory, filled: set[int]) -> Iterator[Step]:
    """Results and new states that are not in place yet."""
    run, host = memory.run, memory.when.host
    for name, value in run.graph.outputs.items():
        if run.alias[value.id].base in host:
            yield from _store(memory, value, memory.buffers["output", name], filled)
    for name, value in run.graph.updates.items():
        if memory.in_place(name):
            continue
        state = Leaf(run.states[name])
        if ("aside", name) in memory.buffers:
            yield Copy(value, memory.buffers["aside", name], state)
        else:
            yield from _store(memory, value, state, filled)


def _store(memory: Memory, value: Value, target: Storage, filled: set[int]) -> Iterator[Step]:
    if value.id in memory.when.host:
        yield Fill(value, target)
        return
    yield from _fill(memory, value, filled)
    yield Copy(value, memory.place(value), target)


def _with_check(graph: Graph, steps: Iterable[tuple[int, Step]], memory: Memory) -> list[tuple[int, Step]]:
    """The steps with a check of the loss before the first that writes a state."""
    result = list(steps)
    loss = graph.outputs.get("loss")
    if loss is None or loss.type.shape or not loss.dtype.is_float:
        return result
    for index, (time, step) in enumerate(result):
        if _writes_state(step, memory):
            result.insert(index, (time, Finite(loss, "loss")))
            break
    return result


def _writes_state(step: Step, memory: Memory) -> bool:
    match step:
        case Call(node) if node.op == "scan":
            items = (user for user, _ in memory.run.graph.uses(node.out))
            return any(_root(memory.place(item.out)).__class__ is Leaf for item in items if item.id in memory.run.owned)
        case Call(node):
            target: Place = memory.place(node.out)
        case Loop(calls):
            return any(_writes_state(call, memory) for call in calls)
        case Fill(_, target) | Copy(_, _, target):
            pass
        case _:
            return False
    return _root(target).__class__ is Leaf


def _root(place: Place) -> Storage | View:
    while isinstance(place, Part):
        place = place.whole
    return place
