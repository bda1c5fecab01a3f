"""The memory of the benchmarks' training steps: hardly more than is in use at one time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory import plans
from benchmarks.workloads import PROGRAMS, WORKLOADS
from dslc.backends.sizes import Sizes
from dslc.driver.frontend import check_program, read_source
from dslc.driver.training import choose_train
from dslc.training import training_graphs


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_arena_is_within_a_tenth_of_what_is_live_and_recomputation_takes_no_more(name: str) -> None:
    workload = WORKLOADS[name]
    checked = check_program(read_source(PROGRAMS / f"{workload.program}.dl"))
    (graph,) = training_graphs(choose_train(checked, workload.train)).steps
    kept, again = plans(graph)
    sizes = dict.fromkeys(Sizes.of(kept).symbols, workload.rows)
    assert kept.live_bytes(sizes) <= kept.scratch_bytes(sizes) <= 1.1 * kept.live_bytes(sizes)
    assert again.scratch_bytes(sizes) <= kept.scratch_bytes(sizes)


def test_the_table_has_a_row_for_each_workload() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "--only", "xor", "--time", "--rounds", "1", "--seconds", "0.01"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[-1] == "time"
    assert row.startswith(WORKLOADS["xor"].title)
