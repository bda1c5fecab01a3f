"""The memory of training steps as planned, and with cheap results computed again: `python -m benchmarks.memory`.

`live` is the most that is in use at one time, below which no layout comes; `arena` is what the plan takes, `remat` what it takes
with recomputation. `--time` also runs both steps in turn and tells how much longer the second one takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.stacks.with_dslc import trainer_of
from benchmarks.workloads import RATE, WORKLOADS, Workload
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import Plan, plan
from dslc.driver.budget import recomputing
from dslc.driver.training import Prepared
from dslc.graph import Graph
from dslc.passes import optimize
from dslc.passes.remat import recompute
from dslc_runtime.engine import feed

_WIDTH = 48


def plans(graph: Graph) -> tuple[Plan, Plan]:
    """The plan of a training step, and that with recomputation."""
    special = specialise(optimize(graph))
    return plan(special), plan(recompute(special))


def figures(workload: Workload) -> str:
    """A row of the table: megabytes, and the arena over what is live."""
    prepared = trainer_of(workload)._prepared
    sizes = prepared.steps[0].sizes_of({name: array.shape for name, array in workload.data().items()})
    kept, again = plans(prepared.graphs.steps[0])
    state = sum(array.nbytes for array in prepared.state.arenas.values())
    found = (state, kept.live_bytes(sizes), kept.scratch_bytes(sizes), again.scratch_bytes(sizes))
    over = kept.scratch_bytes(sizes) / kept.live_bytes(sizes)
    return " ".join(f"{amount / 1e6:>10.4f}" for amount in found) + f" {over:>10.3f}"


def slower(workload: Workload, rounds: int, seconds: float) -> float:
    """The time of a step with recomputation over that of a step without: the median of neighbouring segments."""
    plain = trainer_of(workload)._prepared
    runs = [runner_of(each, workload) for each in (plain, recomputing(plain))]
    steps = max(int(seconds / _seconds(runs[0], 3) * 3), 1)
    pairs = [[_seconds(run, steps) for run in runs] for _ in range(rounds)]
    return median(again / once for once, again in pairs)


def runner_of(prepared: Prepared, workload: Workload) -> Callable[[], None]:
    batch = workload.data()
    bound = feed(prepared.steps[0], prepared.state.for_training, batch, workload.rows, seed=0)
    bound.fill(np.arange(workload.rows), 1)
    numbers = [{"lr": RATE, "step": 1.0}[name] for name in bound.bound.scalars]
    return lambda: bound.bound.step(*numbers)


def _seconds(run: Callable[[], None], steps: int) -> float:
    started = perf_counter()
    with np.errstate(all="ignore"):
        for _ in range(steps):
            run()
    return perf_counter() - started


def main() -> None:
    """Parse the arguments, work out, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), metavar="NAME", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--time", action="store_true", help="also run the steps")
    parser.add_argument("--rounds", type=int, default=9, help="segments of either step (default 9)")
    parser.add_argument("--seconds", type=float, default=0.25, help="length of a segment (default 0.25)")
    options = parser.parse_args()
    heads = ("state MB", "live MB", "arena MB", "remat MB", "arena/live", *(["time"] if options.time else []))
    print(f"{'':{_WIDTH}} " + " ".join(f"{head:>10}" for head in heads))
    for name in options.only or WORKLOADS:
        workload = WORKLOADS[name]
        time = f" {slower(workload, options.rounds, options.seconds):>10.3f}" if options.time else ""
        print(f"{workload.title:{_WIDTH}} {figures(workload)}{time}", flush=True)


if __name__ == "__main__":
    main()
