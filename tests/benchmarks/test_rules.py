"""The benchmark of rules: a rule is left out by its name, and only within."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.leaving_out import left_out, passes_by_name, rules
from benchmarks.rules import compiled


@pytest.mark.parametrize(("left", "more"), [("before_expansion", 1), ("rewriting", 2)])
def test_a_step_is_compiled_without_a_rule_or_a_pass(left: str, more: int):
    plain = compiled("xor")
    with left_out(left):
        other = compiled("xor")
    assert other.text != plain.text
    assert other.nodes - plain.nodes == more
    assert compiled("xor").text == plain.text


def test_rules_and_passes_have_names_of_their_own():
    assert not rules().keys() & set(passes_by_name())


def test_the_table_has_a_row_for_each_workload_that_changes():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rules", "--rules", "scalar_last", "--only", "xor", "mlp32"]
        + ["--rounds", "1", "--seconds", "0.001"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _machine, _head, row, _count = done.stdout.splitlines()
    assert row.split()[:2] == ["scalar_last", "xor"]
