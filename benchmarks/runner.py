"""One stack at one thread count, in its own process: how it is started, asked and timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FOREIGN = 0.10  # of one core: with more foreign load than this a segment is not quiet
ENOUGH = 3  # quiet segments, for medians to be over these alone


class WorkerDiedError(RuntimeError):
    """A worker ended; its own message went to stderr."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Seconds per step, and whether no other process used the machine meanwhile."""

    seconds: float
    quiet: bool


@dataclass
class Runner:
    """One stack at one thread count.

    Attributes:
        hello: what the process said after its first step: `baseline` bytes and `start_up` seconds.
        steps: how many make a segment.
        segments: what was timed.
        peak: the largest memory of the process, in bytes.
    """

    stack: str
    threads: int
    process: subprocess.Popen[str]
    hello: Mapping[str, float]
    steps: int = 1
    segments: list[Segment] = field(default_factory=list[Segment])
    peak: float = 0.0

    @classmethod
    def start(cls, stack: str, workload: str, case: Path, threads: int) -> Runner:
        """Start the process and wait until it has run a step.

        Raises:
            WorkerDiedError: it ended.
        """
        settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        arguments = [stack, workload, str(case), str(threads), str(time.time())]
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | settings,
        )  # fmt: skip
        return cls(stack, threads, process, _answer(process))

    def ask(self, request: str) -> Mapping[str, Any]:
        """Send a request and wait for its answer."""
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
        """Time one segment."""
        before, wall = _busy(), time.perf_counter()
        last = self.ask(f"segment {self.steps}")
        foreign = (_busy() - before - last["cpu"]) / (time.perf_counter() - wall)
        self.segments.append(Segment(last["wall"] / self.steps, foreign < FOREIGN))
        self.peak = last["peak"]

    def typical(self) -> float:
        """Median seconds per step, over quiet segments if there are enough of them."""
        quiet = [segment.seconds for segment in self.segments if segment.quiet]
        return median(quiet if len(quiet) >= ENOUGH else [segment.seconds for segment in self.segments])

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _answer(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise WorkerDiedError
    return json.loads(line)


def _busy() -> float:
    """CPU seconds all processes have used; 0 where the system does not tell, and nothing is left out then."""
    if not Path("/proc/stat").exists():
        return 0.0
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, soft = ticks[:7]
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
