"""What each rewriting rule and pass is worth: `python -m benchmarks.rules`.

The training steps of the workloads are compiled with all of them and with all but one. Where that makes another program, a row
says how many operators and kilobytes it has more, and its processor time over that of the step with all rules: the median of
neighbouring segments on one thread. The last column counts the train blocks among the shipped programs that compile to something
else without the rule; what is worth nothing anywhere has a row of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from benchmarks.leaving_out import left_out, passes_by_name, rules
from benchmarks.memory import runner_of
from benchmarks.stacks.with_dslc import trainer_of
from benchmarks.workloads import WORKLOADS
from dslc.backends.bodies import step_graph
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.driver.frontend import check_program, read_source
from dslc.graph import Graph, print_graph
from dslc.ops.scan import scan_of
from dslc.passes import optimize
from dslc.training import training_graphs
from dslc_runtime.threads import limited

# One of each kind: a larger batch of the same network meets the same rules.
SMALL = ("xor", "mlp32", "cnn32", "cifar4", "lstm28", "transformer", "text", "mgu")
MODELS = Path(__file__).parents[1] / "models"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A training step: the text of its program, its operators with those of the bodies of scans, and the bytes of its plan."""

    text: str
    nodes: int
    bytes: int
    run: Callable[[], None]


def compiled(name: str) -> Compiled:
    """The step of a workload with the rules that there are now."""
    workload = WORKLOADS[name]
    prepared = trainer_of(workload)._prepared
    program = prepared.steps[0]
    sizes = program.sizes_of({field: array.shape for field, array in workload.data().items()})
    graph = specialise(optimize(prepared.graphs.steps[0]))
    return Compiled(program.listing(), nodes_of(graph), plan(graph).scratch_bytes(sizes), runner_of(prepared, workload))


def nodes_of(graph: Graph) -> int:
    """How many operators a graph has, those in the bodies of its scans among them."""
    scans = [scan_of(node) for node in graph.nodes.values() if node.op == "scan"]
    bodies = sum(nodes_of(specialise(step_graph(scan))) for scan in scans)
    return sum(bool(node.inputs) for node in graph.nodes.values()) + bodies


def shipped() -> dict[str, Graph]:
    """The training steps of the shipped programs, as they are built."""
    found: dict[str, Graph] = {}
    for path in sorted(MODELS.glob("*.dl")):
        trains = check_program(read_source(path)).file.trains
        for train, typed in trains.items():
            for number, graph in enumerate(training_graphs(typed).steps):
                found[f"{path.stem} {train} {number}"] = graph
    return found


def texts(graphs: dict[str, Graph]) -> dict[str, str]:
    """The graphs as the NumPy engine runs them with the rules that there are now."""
    return {name: print_graph(specialise(optimize(graph))) for name, graph in graphs.items()}


def slower(plain: Compiled, other: Compiled, rounds: int, seconds: float) -> float:
    """The processor time of one step over that of another."""
    steps = max(round(seconds / (_seconds(plain.run, 3) / 3)), 1)
    pairs = [(_seconds(plain.run, steps), _seconds(other.run, steps)) for _ in range(rounds)]
    return median(without / once for once, without in pairs)


def _seconds(run: Callable[[], None], steps: int) -> float:
    started = process_time()
    with np.errstate(all="ignore"):
        for _ in range(steps):
            run()
    return process_time() - started


def rows(left: str, workloads: Sequence[str], full: dict[str, Compiled], rounds: int, seconds: float) -> Iterator[str]:
    """What every workload that needs a rule is without it."""
    for name in workloads:
        with left_out(left):
            other = compiled(name)
        if other.text == full[name].text:
            continue
        nodes, kilobytes = other.nodes - full[name].nodes, (other.bytes - full[name].bytes) / 1e3
        time = slower(full[name], other, rounds, seconds)
        yield f"{name:12} {nodes:>+6} {kilobytes:>+10.1f} {time:>7.3f}"


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rules", nargs="+", metavar="NAME", help="rules and passes (default: all)")
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), default=SMALL, metavar="NAME", help="workloads")
    parser.add_argument("--rounds", type=int, default=9, help="segments of either step (default 9)")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a segment (default 0.1)")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    print(f"{'left out':26} {'workload':12} {'nodes':>6} {'KB':>10} {'time':>7}  programs")
    with limited(1):
        full = {name: compiled(name) for name in options.only}
        graphs = shipped()
        whole = texts(graphs)
        for left in options.rules or [*passes_by_name(), *rules()]:
            with left_out(left):
                differ = sum(text != whole[name] for name, text in texts(graphs).items())
            found = list(rows(left, options.only, full, options.rounds, options.seconds)) or [f"{'-':38}"]
            for row in found:
                print(f"{left:26} {row}  {differ}", flush=True)
    print(f"{len(graphs)} train blocks among the shipped programs, load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
