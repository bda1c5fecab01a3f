"""One workload on all stacks: results compared first, then segments in turn -> a row of figures."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.case import write_case
from benchmarks.runner import ENOUGH, Runner, WorkerDiedError
from benchmarks.stacks import STACKS
from benchmarks.stacks.with_dslc import first_values
from benchmarks.workloads import WORKLOADS, Array

_AGREE = 1e-4  # of the largest element of each gradient or output


def reference(stack: str) -> str:
    """Which stack another one is compared with, in results and in time."""
    return "dslc-forward" if STACKS[stack].forward else "dslc"


def measure(name: str, stacks: Sequence[str], threads: Sequence[int], rounds: int, seconds: float) -> dict[str, Any]:
    """Time one workload; the row for the table and the JSON file.

    Args:
        rounds: segments of every stack.
        seconds: about how long a segment is.
    """
    workload = WORKLOADS[name]
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case.npz"
        write_case(name, first_values(workload), case)
        runners, died = _started(name, stacks, threads, case)
        _compare(runners, Path(folder))
    load = os.getloadavg()[0]
    for runner in runners:
        runner.calibrate(seconds)
    for _ in range(rounds):
        for runner in runners:
            time.sleep(0.02)  # let the other stack's threads stop spinning
            runner.segment()
    best = {r.stack: min((o for o in runners if o.stack == r.stack), key=Runner.typical) for r in runners}
    row: dict[str, Any] = {"workload": name, "title": workload.title, "goal": workload.goal, "load_before": load}
    row["stacks"] = {stack: _figures(stack, runners, best) for stack in best}
    row["died"] = died
    row["dslc"] = best["dslc"].ask("facts") if "dslc" in best else {}
    for runner in runners:
        runner.stop()
    return row


def _started(name: str, stacks: Sequence[str], threads: Sequence[int], case: Path) -> tuple[list[Runner], list[str]]:
    """The runners, and the stacks that cannot run this workload."""
    runners: list[Runner] = []
    died: list[str] = []
    for stack in stacks:
        if WORKLOADS[name].program in STACKS[stack].lacks:
            continue
        try:
            runners += [Runner.start(stack, name, case, count) for count in threads]
        except WorkerDiedError:
            died.append(stack)
            print(f"{stack} could not run {name}; its message is above", file=sys.stderr)
    return [runner for runner in runners if runner.stack not in died], died


def _compare(runners: Sequence[Runner], folder: Path) -> None:
    """Stop unless the results of every stack are those of dslc."""
    found: dict[str, Mapping[str, Array]] = {}
    for runner in runners:
        if runner.stack not in found:
            path = folder / f"{runner.stack}.npz"
            runner.ask(f"results {path}")
            with np.load(path) as arrays:
                found[runner.stack] = dict(arrays)
    for stack, results in found.items():
        for key, expected in found.get(reference(stack), {}).items():
            limit = _AGREE * float(np.max(np.abs(expected), initial=0)) + 1e-7
            if not np.allclose(results[key], expected, rtol=0, atol=limit):
                sys.exit(f"`{key}` differs between dslc and {stack}: nothing was timed")


def _figures(stack: str, runners: Sequence[Runner], best: Mapping[str, Runner]) -> dict[str, Any]:
    """The figures of a stack at its better thread count; its ratio is taken over neighbouring segments."""
    runner, base = best[stack], best.get(reference(stack), best[stack])
    pairs = list(zip(base.segments, runner.segments, strict=True))
    quiet = [pair for pair in pairs if pair[0].quiet and pair[1].quiet]
    used = quiet if len(quiet) >= ENOUGH else pairs
    return {
        "threads": runner.threads,
        "us_per_step": runner.typical() * 1e6,
        "all_threads_us": {r.threads: r.typical() * 1e6 for r in runners if r.stack == stack},
        "ratio": median(other.seconds / own.seconds for own, other in used)
        if reference(stack) in best
        else float("nan"),
        "quiet_segments": len(quiet),
        "loaded": used is pairs,
        "baseline_mb": runner.hello["baseline"] / 1e6,
        "peak_mb": runner.peak / 1e6,
        "growth_mb": (runner.peak - runner.hello["baseline"]) / 1e6,
        "start_up_s": runner.hello["start_up"],
    }
