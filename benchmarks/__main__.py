"""Run the benchmark: one process per stack, segments in turn, medians of the segments without foreign load.

Every stack first gives the gradients of one equal step without dropout (inference: its outputs), which must agree, before
anything is timed. A ratio is a stack's time over dslc's for segments next to each other, each at its better thread count.
Growth of memory is the peak above what the process held once the stack was imported.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import measure
from benchmarks.stacks import STACKS
from benchmarks.workloads import WORKLOADS

_WIDTH = 48


def table(rows: Sequence[dict[str, Any]], stacks: Sequence[str]) -> str:
    """The ratios of all stacks, a row for each workload."""
    others = [stack for stack in stacks if stack not in ("dslc", "dslc-forward")]
    lines = [f"{'':{_WIDTH}} {'us/step':>10} {'goal':>6} " + " ".join(f"{stack:>13}" for stack in others)]
    for row in rows:
        found = row["stacks"]
        ratios = [_ratio(found[stack]) if stack in found else "-" for stack in others]
        own = f"{found['dslc']['us_per_step']:.1f}" if "dslc" in found else "-"
        lines.append(f"{row['title']:{_WIDTH}} {own:>10} {row['goal']:>6} " + " ".join(f"{r:>13}" for r in ratios))
    return "\n".join(lines)


def _ratio(figures: dict[str, Any]) -> str:
    return f"{figures['ratio']:.2f}" + "*" * figures["loaded"]


def costs(rows: Sequence[dict[str, Any]]) -> str:
    """Memory, start-up and compile time of dslc beside PyTorch's."""
    heads = ("growth MB", "torch", "peak MB", "torch", "first step s", "torch", "compile ms", "arena MB", "live MB")
    lines = [f"{'':{_WIDTH}} " + " ".join(f"{head:>12}" for head in heads)]
    for row in rows:
        pair = [row["stacks"].get(stack) for stack in ("dslc", "torch")]
        cells = [
            f"{each[figure]:.{digits}f}" if each else "-"
            for figure, digits in (("growth_mb", 1), ("peak_mb", 1), ("start_up_s", 2))
            for each in pair
        ]
        if row["dslc"]:
            plan = row["dslc"]["plan_bytes"]
            cells += [f"{sum(row['dslc']['compile_ms'].values()):.0f}"]
            cells += [f"{plan[name] / 1e6:.2f}" for name in ("arena", "live")]
        lines.append(f"{row['title']:{_WIDTH}} " + " ".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), metavar="NAME", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--stacks", nargs="+", choices=list(STACKS), metavar="NAME", help=f"of {', '.join(STACKS)}")
    parser.add_argument("--short", action="store_true", help="few short segments: to see that it runs")
    parser.add_argument("--rounds", type=int, default=15, help="segments of every stack (default 15)")
    parser.add_argument("--seconds", type=float, default=0.25, help="length of a segment (default 0.25)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts (default 1 2)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    rounds, seconds = (2, 0.02) if options.short else (options.rounds, options.seconds)
    asked = options.stacks or list(STACKS)
    stacks = [stack for stack in asked if not STACKS[stack].missing()]
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load {os.getloadavg()[0]:.2f}")
    for stack in asked:
        if stack not in stacks:
            print(f"{stack} is left out: {', '.join(STACKS[stack].missing())} is not installed")
    rows: list[dict[str, Any]] = []
    for name in options.only or WORKLOADS:
        rows.append(measure(name, stacks, options.threads, rounds, seconds))
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")
        print(f"\n{table(rows[-1:], stacks)}", flush=True)
    print(f"\n{table(rows, stacks)}\n\n{costs(rows)}")
    print("\nratio: that stack's time over dslc's (forward: over dslc's inference), each at its better thread count;")
    print("median of neighbouring quiet segments; * of all segments, because other processes used the machine")
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
