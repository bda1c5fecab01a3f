"""Where the time of a training step goes: its programs with a clock in every line -> figures by source line and by operator.

A watched program computes what the plain one does, bit for bit; only the time between its lines is taken down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

from dslc.backends.plan.model import Loop
from dslc.backends.to_numpy import compile_numpy
from dslc.backends.watch import Watch
from dslc.driver.sharing import Cores
from dslc.driver.training import Prepared, Trained
from dslc.graph.ir import LEAVES
from dslc.ops import OPS
from dslc.ops.cost import everything
from dslc.ops.ir import Node
from dslc.passes import optimize
from dslc.tensor_type import evaluate
from dslc_runtime.files import write_atomic

PROFILE = "profile.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one group of lines took, per step of the training.

    Attributes:
        what: the operator, or the place in the program.
        text: the source line; "" for an operator.
        microseconds, calls: per step.
        share: of the whole step.
        megabytes: read and written, as the operator declares for operands and results of these sizes.
        gflops: 10^9 floating-point operations a second.
    """

    what: str
    text: str
    microseconds: float
    calls: float
    share: float
    megabytes: float
    gflops: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time went. Sizes are those of a full batch.

    Attributes:
        steps: how many were timed.
        processes, threads: that ran them: the threads are those of linear algebra.
        microseconds: of one step, its lines together.
        lines, ops: by source line and by operator, the longest first.
    """

    steps: int
    processes: int
    threads: int
    microseconds: float
    lines: tuple[Figure, ...]
    ops: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class _Spent:
    """Time at one place of a program."""

    node: Node
    layer: str | None
    seconds: float
    passes: int
    loop: Loop | None

    def wholes(self, sizes: Mapping[str, int]) -> float:
        """How often the node was computed."""
        return self.passes / ((self.loop.tiles(sizes) if self.loop is not None else 1) or 1)


_Timed: TypeAlias = tuple[_Spent, Mapping[str, int]]
_Key: TypeAlias = tuple[str, str]


def watched(prepared: Prepared) -> tuple[Prepared, list[Watch]]:
    """The same training with a clock in every line of its steps, and the clocks."""
    watches = [Watch() for _ in prepared.graphs.steps]
    steps = tuple(
        compile_numpy(optimize(graph), remat=prepared.remat, watch=watch)
        for graph, watch in zip(prepared.graphs.steps, watches, strict=True)
    )
    return replace(prepared, steps=steps), watches


def profile(trained: Trained, watches: Sequence[Watch]) -> Profile:
    """The figures of a training that has run with clocks."""
    part, prepared = trained.opened.part("train"), trained.prepared
    rows = min(prepared.typed.batch or len(part), len(part))
    steps = max((watch.clock.runs for watch in watches), default=0) or 1
    found: list[_Timed] = []
    for program, watch in zip(prepared.steps, watches, strict=True):
        shapes = {name: (rows, *part.fields[name].shape[1:]) for name in program.inputs if name in part.fields}
        sizes = {**program.sizes_of(shapes), **dict.fromkeys(program.free_sizes, rows)}
        found += [(spent, sizes) for spent in _spent(watch, None)]
    return _profile(found, steps, trained.cores)


def _profile(found: Sequence[_Timed], steps: int, cores: Cores) -> Profile:
    """Times at places, with the run-time sizes there -> figures of a step."""
    total = sum(spent.seconds for spent, _ in found)
    lines: dict[_Key, list[_Timed]] = {}
    ops: dict[_Key, list[_Timed]] = {}
    for spent, sizes in found:
        lines.setdefault(_where(spent), []).append((spent, sizes))
        ops.setdefault((spent.node.op, ""), []).append((spent, sizes))
    return Profile(
        steps,
        cores.processes,
        cores.threads,
        total / steps * 1e6,
        _figures(lines, total, steps),
        _figures(ops, total, steps),
    )


def _figures(groups: Mapping[_Key, list[_Timed]], total: float, steps: int) -> tuple[Figure, ...]:
    found: list[Figure] = []
    for (what, text), members in groups.items():
        seconds = sum(spent.seconds for spent, _ in members)
        moved = sum(_bytes(spent.node, sizes) * spent.wholes(sizes) for spent, sizes in members)
        flops = sum(_flops(spent.node, sizes) * spent.wholes(sizes) for spent, sizes in members)
        found.append(
            Figure(
                what,
                text,
                microseconds=seconds / steps * 1e6,
                calls=sum(spent.passes for spent, _ in members) / steps,
                share=seconds / total if total else 0.0,
                megabytes=moved / steps / 1e6,
                gflops=flops / seconds / 1e9 if seconds else 0.0,
            )
        )
    return tuple(sorted(found, key=lambda figure: -figure.microseconds))


def _spent(watch: Watch, layer: str | None) -> Iterator[_Spent]:
    """All places of a program and of those it runs along time; a scan is left with what its steps do not explain."""
    inside = dict(zip((node.id for node in watch.scans), watch.bodies, strict=True))
    clock = watch.clock
    for node, loop, own, passes in zip(watch.nodes, watch.loops, clock.seconds, clock.passes, strict=True):
        if node.op == "scan" and node.id in inside:
            steps = list(_spent(inside[node.id], node.layer or layer))
            own -= sum(step.seconds for step in steps)
            yield from steps
        yield _Spent(node, node.layer or layer, own, passes, loop)


def _where(spent: _Spent) -> tuple[str, str]:
    """The place in the program and its text; the layer is what says most of a line of the library."""
    span = spent.node.span
    layer = f"{spent.layer}: " if spent.layer else ""
    if span is None:
        return f"{layer}(the optimizer)" if not layer else f"{layer}(no line)", ""
    return f"{layer}{Path(span.source.name).name}:{span.line}", span.source.line_text(span.line).strip()


def _bytes(node: Node, sizes: Mapping[str, int]) -> int:
    """The bytes a call reads and writes."""
    moved = everything if node.op in LEAVES else OPS[node.op].moved
    return evaluate(moved(tuple(value.type for value in node.inputs), node.out.type), sizes)


def _flops(node: Node, sizes: Mapping[str, int]) -> int:
    """The floating-point operations of a call; those of a scan are its steps'."""
    if node.op in LEAVES or node.op == "scan":
        return 0
    return evaluate(OPS[node.op].flops(tuple(value.type for value in node.inputs), node.out.type), sizes)


def table(found: Profile, longest: int = 12) -> str:
    """The figures as text, the longest of each kind."""
    on = f"{found.processes} process{'es' * (found.processes > 1)} with {found.threads} thread{'s' * (found.threads > 1)}"
    head = f"a step takes {found.microseconds:.1f} us in its lines, over {found.steps} steps, on {on}"
    columns = f"{'share':>7} {'us':>9} {'calls':>7} {'MB':>8} {'GB/s':>7} {'GFLOP/s':>8}"
    lines = [head, "", f"{columns}  line"]
    lines += [_row(figure) for figure in found.lines[:longest]]
    lines += ["", f"{columns}  operator"]
    lines += [_row(figure) for figure in found.ops[:longest]]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    speed = figure.megabytes / figure.microseconds * 1e3 if figure.microseconds else 0.0
    what = f"{figure.what}  {figure.text}".rstrip()
    return (
        f"{figure.share:>6.1%} {figure.microseconds:>9.1f} {figure.calls:>7.1f} {figure.megabytes:>8.2f} {speed:>7.1f}"
        f" {figure.gflops:>8.2f}  {what}"
    )


def write_profile(found: Profile, folder: Path) -> None:
    """Write all figures beside the run's other files."""
    write_atomic(folder / PROFILE, (json.dumps(asdict(found), indent=2) + "\n").encode())
