"""Run the benchmark: one process per stack, segments in turn, medians of the segments without foreign load.

Every stack first gives the gradients of one equal step without dropout, which must agree, before anything is timed. A ratio
is PyTorch's time over dslc's for segments next to each other, each stack at its better thread count. Growth of memory is the
peak above what the process held once the stack was imported.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.stacks import STACKS
from benchmarks.workloads import WORKLOADS, Workload

FOREIGN = 0.10  # of one core: a segment with more foreign load than this is left out of the medians


@dataclass
class Runner:
    """One stack at one thread count, in its own process."""

    stack: str
    threads: int
    process: subprocess.Popen[str]
    hello: Mapping[str, float]
    steps: int = 1
    seconds: list[float] = field(default_factory=list[float])  # per step, one entry per segment; NaN where loaded
    last: Mapping[str, float] = field(default_factory=dict[str, float])

    @classmethod
    def start(cls, stack: str, name: str, threads: int) -> Runner:
        settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", stack, name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | settings,
        )  # fmt: skip
        return cls(stack, threads, process, _answer(process))

    def ask(self, request: str) -> Mapping[str, float]:
        assert self.process.stdin is not None
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return _answer(self.process)

    def calibrate(self, seconds: float) -> None:
        """Choose how many steps make a segment of about `seconds`."""
        self.steps = 1
        while (took := self.ask(f"segment {self.steps}")["wall"]) < seconds / 4:
            self.steps *= 2
        self.steps = max(1, round(self.steps * seconds / took))

    def segment(self) -> None:
        before, wall = _busy(), time.perf_counter()
        self.last = self.ask(f"segment {self.steps}")
        foreign = (_busy() - before - self.last["cpu"]) / (time.perf_counter() - wall)
        self.seconds.append(self.last["wall"] / self.steps if foreign < FOREIGN else float("nan"))

    def typical(self) -> float:
        """Median seconds per step over quiet segments; NaN if there were none."""
        quiet = [s for s in self.seconds if s == s]
        return median(quiet) if quiet else float("nan")

    def rank(self) -> float:
        """As `typical`, with a runner that had no quiet segment last."""
        found = self.typical()
        return found if found == found else float("inf")

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _answer(process: subprocess.Popen[str]) -> Mapping[str, float]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit("a worker died; its message is above")
    return json.loads(line)


def _busy() -> float:
    """CPU seconds all processes have used; 0 where the system does not tell, and nothing is left out then."""
    if not Path("/proc/stat").exists():
        return 0.0
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, soft = ticks[:7]
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def compare_gradients(runners: list[Runner], folder: Path) -> None:
    """Stop unless every stack's first gradients agree."""
    found: dict[str, Mapping[str, np.ndarray]] = {}
    for runner in runners:
        if runner.stack not in found:
            path = folder / f"{runner.stack}.npz"
            runner.ask(f"gradients {path}")
            with np.load(path) as arrays:
                found[runner.stack] = dict(arrays)
    for stack, gradients in found.items():
        for key, expected in found["torch"].items():
            if not np.allclose(gradients[key], expected, rtol=1e-4, atol=1e-6):
                sys.exit(f"the gradients of {key} differ between {stack} and torch: nothing was timed")


def measure(name: str, workload: Workload, threads: list[int], rounds: int, seconds: float) -> dict[str, object]:
    """Time one workload on every stack; the row for the table and the JSON file."""
    runners = [Runner.start(stack, name, n) for stack in STACKS for n in threads]
    with tempfile.TemporaryDirectory() as folder:
        compare_gradients(runners, Path(folder))
    for runner in runners:
        runner.calibrate(seconds)
    load = os.getloadavg()[0]
    for _ in range(rounds):
        for runner in runners:
            time.sleep(0.02)  # let the other stack's threads stop spinning
            runner.segment()
    best = {s: min((r for r in runners if r.stack == s), key=Runner.rank) for s in STACKS}
    row: dict[str, object] = {"workload": workload.title, "goal": workload.goal, "load_before": load}
    for stack, runner in best.items():
        pairs = [b / a for a, b in zip(best["dslc"].seconds, runner.seconds, strict=True) if a == a and b == b]
        row[stack] = {
            "threads": runner.threads,
            "us_per_step": runner.typical() * 1e6,
            "all_threads_us": {r.threads: r.typical() * 1e6 for r in runners if r.stack == stack},
            "ratio": median(pairs) if pairs else float("nan"),
            "quiet_segments": len(pairs),
            "baseline_mb": runner.hello["baseline"] / 1e6,
            "growth_mb": runner.last["growth"] / 1e6,
            "start_up_s": runner.hello["start_up"],
        }
    for runner in runners:
        runner.stop()
    return row


def table(rows: list[dict[str, object]]) -> str:
    """The rows as text."""
    lines = [
        f"{'workload':47} {'stack':12} {'threads':>7} {'us/step':>9} {'ratio':>6} {'goal':>5} {'growth MB':>10} {'imported MB':>12}"
    ]
    for row in rows:
        for stack in STACKS:
            cell = row[stack]
            assert isinstance(cell, dict)
            goal = f"{row['goal']:.1f}" if stack == "torch" else ""
            ratio = "" if stack == "dslc" else f"{cell['ratio']:.2f}"
            lines.append(
                f"{row['workload']!s:47} {stack:12} {cell['threads']:>7} {cell['us_per_step']:>9.1f} {ratio:>6} {goal:>5}"
                f" {cell['growth_mb']:>10.1f} {cell['baseline_mb']:>12.1f}"
            )
    return "\n".join(lines)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", choices=[[], *WORKLOADS], help="which; all by default")
    parser.add_argument("--rounds", type=int, default=15, help="segments of every stack (default 15)")
    parser.add_argument("--seconds", type=float, default=0.25, help="length of a segment (default 0.25)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts (default 1 2)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}"
    )
    names = options.workloads or list(WORKLOADS)
    rows = [measure(n, WORKLOADS[n], options.threads, options.rounds, options.seconds) for n in names]
    print(table(rows))
    print(
        "ratio: that stack's time over dslc's, median of neighbouring quiet segments, each at its better thread count"
    )
    print(f"load after: {os.getloadavg()[0]:.2f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
