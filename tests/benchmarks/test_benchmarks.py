"""The benchmark runs, with dslc alone: what other stacks do is no business of this project's tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("workload", ["xor", "cifar4"])
def test_a_workload_is_measured_and_its_figures_are_written(workload: str, tmp_path: Path):
    figures = tmp_path / "figures.json"
    stacks = ["dslc", "dslc-forward"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--short", "--only", workload, "--threads", "1", "--json", str(figures)]
        + ["--stacks", *stacks],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(figures.read_text())
    assert row["title"] in done.stdout
    assert row["stacks"]["dslc"]["us_per_step"] > 0
    assert row["stacks"]["dslc"]["ratio"] == 1.0
    assert 0 < row["dslc"]["plan_bytes"]["live"] <= row["dslc"]["plan_bytes"]["arena"]


def test_a_stack_that_is_unknown_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--stacks", "fortran"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "fortran" in done.stderr
