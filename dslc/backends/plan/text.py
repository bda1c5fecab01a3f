"""The text form of a plan, for `--emit plan` and golden files: every step with its memory, then the buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dslc.backends.plan.model import Buffer, Call, Copy, Fill, Finite, Host, Leaf, Loop, Part, Place, Plan, Step
from dslc.ops.ir import Node


def plan_text(plan: Plan, sizes: Mapping[str, int] | None = None) -> str:
    """A plan as text; with run-time sizes also in bytes.

    A line is ``time  place = op(operands)``; ``over %3`` says that the result is written over an operand, and a place in
    brackets is a view of another.
    """
    lines = (
        ["once, when sizes are bound:", *(f"  {_step(plan, step)}" for step in plan.prologue)] if plan.prologue else []
    )
    lines.append("at every run:")
    lines += [f"{time:5d}  {_step(plan, step)}" for time, step in zip(plan.times, plan.steps, strict=True)]
    lines.append("outputs:")
    lines += [f"  %{value.id} in {_place(plan.outputs[name])}" for name, value in plan.graph.outputs.items()]
    lines.append("buffers:")
    lines += [f"  {text}" for text in _buffers(plan, sizes)]
    if sizes is not None:
        lines.append(
            f"scratch {plan.scratch_bytes(sizes)} bytes, {plan.live_bytes(sizes)} live at most; "
            f"kept {plan.kept_bytes(sizes)} bytes"
        )
    return "\n".join(lines) + "\n"


def _step(plan: Plan, step: Step) -> str:
    match step:
        case Call(node) if node.op == "scan":
            return _scanned(plan, node)
        case Call(node):
            target = plan.places[node.id]
            over = [f"%{value.id}" for value in node.inputs if plan.places[value.id] == target]
            return f"{_place(target)} = {_applied(node)}" + (f"  over {over[0]}" if over else "")
        case Loop(calls, length, tile):
            inner = "".join(f"\n         {_step(plan, call)}" for call in calls)
            return f"in tiles of {tile} of {length} elements:{inner}"
        case Host(node):
            return f"%{node.id} = {_applied(node)}  on the host"
        case Fill(value, target):
            return f"{_place(target)} = %{value.id}"
        case Copy(value, source, target):
            return f"{_place(target)} = copy %{value.id} in {_place(source)}"
        case Finite(value):
            return f"stop unless %{value.id} is finite"


def _scanned(plan: Plan, node: Node) -> str:
    items = [user for user, _ in plan.graph.uses(node.out) if user.id in plan.places]
    targets = ", ".join(f"{_place(plan.places[item.id])} = %{item.id}" for item in items)
    return f"{targets} = items of {_applied(node)}"


def _applied(node: Node) -> str:
    operands = ", ".join(f"%{value.id}" for value in node.inputs)
    return f"%{node.id} {node.op}({operands})"


def _place(place: Place) -> str:
    match place:
        case Leaf(node):
            return f"{node.op} %{node.id}"
        case Buffer(id):
            return f"b{id}"
        case Part(_, whole, offset, type_):
            return f"{_place(whole)}[{offset}:] as {type_}"
        case _:
            return f"[{place.node.op} of %{place.node.inputs[0].id}]"


def _buffers(plan: Plan, sizes: Mapping[str, int] | None) -> Iterator[str]:
    for buffer in plan.buffers:
        where = "kept, " if buffer.kept else ""
        size = f", {buffer.bytes(sizes)} bytes" if sizes is not None else ""
        type_ = buffer.type if buffer.tile is None else f"a tile of {buffer.type}"
        yield f"b{buffer.id}: {type_}, {where}from {buffer.first} to {buffer.last}{size}"
