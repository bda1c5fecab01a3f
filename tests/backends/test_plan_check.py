"""The checker finds what it is for: every wrong program made here from a right one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from graphs import OPTIMIZERS, run_both, training_step

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.diagnostics import InternalError
from dslc.graph import Graph
from dslc_runtime.generated import load
from dslc_runtime.program import Program

SIZES = {"B": 3}


def changed(program: Program, source: str) -> Program:
    return Program(program.face, load(source), program.constants, source=source)


def is_proved(graph: Graph, program: Program) -> bool:
    try:
        check_program(graph, program, SIZES)
    except InternalError:
        return False
    return True


def run_lines(program: Program) -> list[int]:
    """Numbers of the lines that are steps."""
    lines = program.source.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    def run("))
    return [number for number in range(start + 1, len(lines)) if lines[number].startswith("        ")]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("poison", [False, True])
def test_training_steps_are_proved(optimizer: str, poison: bool) -> None:
    graph = training_step(optimizer)
    program = compile_numpy(graph, poison=poison)
    for size in (1, 2, 7):
        check_program(specialise(graph), program, {"B": size})


def test_leaving_out_any_step_is_found() -> None:
    graph = training_step("momentum")
    program = compile_numpy(graph)
    lines = program.source.splitlines()
    for number in run_lines(program):
        if "isfinite" in lines[number] or "raise" in lines[number] or re.match(r"\s+h\d+ =", lines[number]):
            continue
        source = "\n".join([*lines[:number], *lines[number + 1 :], ""])
        assert not is_proved(specialise(graph), changed(program, source)), lines[number]


def test_leaving_out_the_check_of_the_loss_is_found() -> None:
    graph = training_step("sgd")
    program = compile_numpy(graph)
    source = re.sub(r"        if not isfinite.*\n.*\n", "", program.source)
    assert source != program.source
    assert not is_proved(specialise(graph), changed(program, source))


def test_a_check_of_the_loss_that_comes_too_late_is_found() -> None:
    graph = training_step("sgd")
    program = compile_numpy(graph)
    check = re.search(r"        if not isfinite.*\n.*\n", program.source)
    assert check is not None
    source = program.source.replace(check.group(), "").replace("\n    return run", f"{check.group()}\n    return run")
    assert not is_proved(specialise(graph), changed(program, source))


def test_writing_to_an_input_is_found() -> None:
    graph = training_step("sgd")
    program = compile_numpy(graph)
    source = re.sub(r"add\((b\d+), (\w+), out=b\d+\)", r"add(\1, \2, out=r0)", program.source, count=1)
    assert source != program.source
    assert not is_proved(specialise(graph), changed(program, source))


def test_a_buffer_in_the_memory_of_another_is_found_or_does_no_harm() -> None:
    """Every buffer is moved to every other, all large and in use throughout: the proof fails, or the numbers are right."""
    graph = training_step("sgd")
    program = compile_numpy(graph)
    roomy = re.sub(
        r"(def memory.*\n.*\n)    return .*", r"\1    return ((4096, 0, 99),) * 20, (4096,) * 20", program.source
    )
    found = 0
    for line in re.findall(r"    (b\d+ = ndarray\(.*, at\[\d+\]\))\n", roomy):
        for other in range(9):
            moved = re.sub(r"at\[\d+\]", f"at[{other}]", line)
            wrong = changed(program, roomy.replace(line, moved))
            if not is_proved(specialise(graph), wrong):
                found += 1
                continue
            for expected, results in run_both(graph, wrong, SIZES):
                for name, value in expected.items():
                    np.testing.assert_allclose(results[name], value, rtol=1e-5, atol=1e-6)
    assert found > 3


def test_a_buffer_past_the_end_of_memory_is_found() -> None:
    graph = training_step("sgd")
    program = compile_numpy(graph)
    source = re.sub(r"(def memory.*\n.*\n)    return .*", r"\1    return ((4, 0, 99),) * 20, (4,) * 20", program.source)
    with pytest.raises((InternalError, TypeError)):
        check_program(specialise(graph), changed(program, source), SIZES)


def test_a_step_that_runs_in_tiles_is_proved_and_a_wrong_one_is_found() -> None:
    graph = training_step("adam", widths=(400, 400, 3))
    program = compile_numpy(graph)
    assert is_proved(specialise(graph), program)
    lines = program.source.splitlines()
    (loop,) = [number for number in run_lines(program) if " in tiles0:" in lines[number]]
    for number in range(loop + 1, loop + 11):
        source = "\n".join([*lines[:number], *lines[number + 1 :], ""])
        assert not is_proved(specialise(graph), changed(program, source)), lines[number]
