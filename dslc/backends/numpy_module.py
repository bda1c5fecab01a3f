"""Plan -> the text of a NumPy module. It reads like code a person wrote: one line per step, `out=` everywhere.

The module has four functions. `sizes` works out every size from the run-time ones; `shapes` and `memory` say what to
allocate, and when it is in use; `bind` makes all arrays and views once and returns `run`, whose lines are the steps. The body of a
scan is a module of its own, which `bind` binds once for every step.
"""

from __future__ import annotations

from dslc.backends.numpy_lines import Lines
from dslc.backends.plan import Plan
from dslc.backends.plan.model import Buffer, Call, Copy, Fill, Finite, Host, Loop, Step
from dslc.backends.sizes import Sizes, indented, listed
from dslc.backends.watch import Watch
from dslc.tensor_type import count

_LETTERS = {"input": "x", "draw": "r", "param": "p", "state": "s", "constant": "c"}
_GIVEN = {"input": "inputs", "draw": "draws", "param": "params", "state": "states", "constant": "constants"}
_ARGUMENTS = "all_sizes, scratch, at, kept, kept_at, inputs, draws, params, states, constants, scan, work"

# A branch that decides nothing, to end the first basic block of `bind`. CPython compiles a function that shares many variables
# with an inner one in time quadratic in the length of that block: eight seconds for a network of two thousand layers.
_BRANCH = ("if all_sizes:", "    pass")


def emit(plan: Plan, sizes: Sizes, *, poison: bool = False, watch: Watch | None = None) -> str:
    """The source of a plan; options as for `compile_numpy`."""
    functions = (sizes.function(), _shapes(plan, sizes), _memory(plan, sizes), _bind(plan, sizes, poison, watch))
    return "\n\n\n".join("\n".join(lines) for lines in functions) + "\n"


def _shapes(plan: Plan, sizes: Sizes) -> list[str]:
    shapes = {op: [sizes.shape(node.out.shape) for node in plan.leaves_of(op)] for op in _LETTERS}
    draws = [
        f"({shape}, {node.out.dtype.value})" for shape, node in zip(shapes["draw"], plan.leaves_of("draw"), strict=True)
    ]
    found = (shapes["input"], draws, shapes["param"], shapes["state"])
    return ["def shapes(all_sizes):", *indented([*sizes.unpack(), f"return {listed(list(map(listed, found)))}"])]


def _memory(plan: Plan, sizes: Sizes) -> list[str]:
    scratch = [f"({_bytes(b, sizes)}, {b.first}, {b.last})" for b in plan.buffers if not b.kept]
    kept = [_bytes(buffer, sizes) for buffer in plan.buffers if buffer.kept]
    result = f"return {listed(scratch)}, {listed(kept)}"
    return ["def memory(all_sizes):", *indented([*sizes.unpack(), result])]


def _bytes(buffer: Buffer, sizes: Sizes) -> str:
    length = count(buffer.type.shape)
    if buffer.tile is not None:
        return f"{buffer.type.dtype.bytes} * {sizes.tile(length, buffer.tile)}"
    return sizes.amount(length * buffer.type.dtype.bytes)


def _bind(plan: Plan, sizes: Sizes, poison: bool, watch: Watch | None) -> list[str]:
    lines = Lines(plan, sizes, watch)
    leaves = {op: [lines.leaf(letter, node) for node in plan.leaves_of(op)] for op, letter in _LETTERS.items()}
    scalars = [lines.scalar(node) for node in plan.scalars]
    for step in plan.prologue:
        lines.setup.extend(lines.of(step))
    steps = _steps(plan, lines, poison)
    outputs = [lines.name(place) for place in plan.outputs.values()]
    unpack = [f"{listed(leaves[op])} = {argument}" for op, argument in _GIVEN.items() if leaves[op]]
    return [
        f"def bind({_ARGUMENTS}):",
        *indented([*_BRANCH, *sizes.unpack(), *unpack, *lines.setup]),
        "",
        f"    def run({', '.join(scalars)}):",
        *indented(indented(steps or ["pass"])),
        "",
        f"    return run, {listed(outputs)}",
    ]


def _steps(plan: Plan, lines: Lines, poison: bool) -> list[str]:
    """The lines of everything a run does."""
    found: list[str] = [] if lines.watch is None else ["start()"]
    ends = [*plan.times[1:], None]
    for step, time, after in zip(plan.steps, plan.times, ends, strict=True):
        found.extend(lines.of(step))
        if lines.watch is not None:
            found.extend(_tick(plan, step, lines.watch))
        if poison and time != after:
            found.extend(f"poison({lines.name(buffer)})" for buffer in _freed(plan, time, after))
    return found


def _tick(plan: Plan, step: Step, watch: Watch) -> list[str]:
    """The line that times a step. A loop's calls have theirs already."""
    match step:
        case Loop():
            return []
        case Call(node) | Host(node):
            return [watch.tick(node)]
        case Fill(value) | Copy(value) | Finite(value):
            return [watch.tick(plan.graph.nodes[value.id])]


def _freed(plan: Plan, time: int, after: int | None) -> list[Buffer]:
    """The scratch buffers last needed from one time on and not at the next."""
    scratch = [buffer for buffer in plan.buffers if not buffer.kept]
    return [buffer for buffer in scratch if time <= buffer.last and (after is None or buffer.last < after)]
