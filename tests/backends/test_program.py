"""Programs and bindings: which sizes follow, what is refused and how it is said, what is kept and what is shared."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import B, training_step

from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder
from dslc.tensor_type import Dim, DType, TensorType, symbol
from dslc_runtime.face import SizeError
from dslc_runtime.program import Program

F32 = DType.F32
T = symbol("T")


def doubler(*shapes: tuple[Dim, ...]) -> Program:
    b = Builder()
    for number, shape in enumerate(shapes):
        x = b.leaf("input", TensorType(F32, shape), name=f"x{number}")
        b.graph.outputs[f"y{number}"] = b.apply("add", x, x)
    return compile_numpy(b.graph)


def with_state() -> tuple[Program, dict[str, np.ndarray]]:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B, 3)), name="x")
    s = b.leaf("state", TensorType(F32, (3,)), name="s")
    w = b.leaf("param", TensorType(F32, (3,)), key="fc.w")
    b.graph.outputs = {"y": b.apply("mul", x, w)}
    b.graph.updates = {"s": b.apply("add", s, b.apply("sum", b.apply("tanh", x), axes=(0,)))}
    return compile_numpy(b.graph), {"s": np.zeros(3, np.float32), "fc.w": np.ones(3, np.float32)}


def zeros(program: Program) -> dict[str, np.ndarray]:
    return {name: np.zeros([int(n) for n in spec.shape], spec.dtype) for name, spec in program.states.items()}


def test_sizes_follow_from_the_shapes_of_inputs() -> None:
    assert doubler((B, 3), (B, T)).sizes_of({"x0": (4, 3), "x1": (4, 7)}) == {"B": 4, "T": 7}


def test_a_size_follows_from_an_expression_of_it() -> None:
    assert doubler((2 * B + 1,)).sizes_of({"x0": (9,)}) == {"B": 4}


def test_a_shape_that_no_size_explains_is_refused() -> None:
    with pytest.raises(SizeError, match=r"axis 0 of `x0` must be 9 \(2 \* B \+ 1\), got 10"):
        doubler((2 * B + 1,)).sizes_of({"x0": (10,)})


def test_two_inputs_that_disagree_are_named() -> None:
    with pytest.raises(SizeError, match=r"axis 0 of `x1` must be 4 \(B\), got 5") as caught:
        doubler((B, 3), (B, T)).sizes_of({"x0": (4, 3), "x1": (5, 7)})
    assert (caught.value.name, caught.value.axis, caught.value.expected, caught.value.got) == ("x1", 0, 4, 5)


def test_a_fixed_size_is_checked() -> None:
    with pytest.raises(SizeError, match="axis 1 of `x0` must be 3, got 2"):
        doubler((B, 3)).sizes_of({"x0": (4, 2)})


def test_a_wrong_number_of_axes_is_refused() -> None:
    with pytest.raises(SizeError, match="`x0` has 3 axes, the program takes 2"):
        doubler((B, 3)).sizes_of({"x0": (4, 3, 1)})


def test_a_parameter_of_another_shape_or_type_is_refused() -> None:
    program, arrays = with_state()
    with pytest.raises(SizeError, match=r"axis 0 of `fc\.w` must be 3, got 4"):
        program.bind({"B": 1}, arrays | {"fc.w": np.ones(4, np.float32)})
    with pytest.raises(TypeError, match="`s` must be a contiguous array of float32, got float64"):
        program.bind({"B": 1}, arrays | {"s": np.ones(3)})
    with pytest.raises(TypeError, match="contiguous"):
        program.bind({"B": 1}, arrays | {"s": np.ones(6, np.float32)[::2]})


def test_a_slice_that_needs_more_elements_is_refused_when_sizes_are_bound() -> None:
    b = Builder()
    x = b.leaf("input", TensorType(F32, (B,)), name="x")
    b.graph.outputs = {"y": b.apply("neg", b.apply("slice", x, starts=(1,), stops=(3,)))}
    program = compile_numpy(b.graph)
    program.bind({"B": 3}, {})
    with pytest.raises(SizeError, match="B = 2"):
        program.bind({"B": 2}, {})


def test_a_binding_is_found_again_by_sizes_and_arrays() -> None:
    program, arrays = with_state()
    first = program.bind({"B": 2}, arrays)
    assert program.bind({"B": 2}, arrays) is first
    assert program.bind({"B": 3}, arrays) is not first
    assert program.bind({"B": 2}, arrays | {"s": np.zeros(3, np.float32)}) is not first


def test_only_a_few_bindings_are_kept() -> None:
    program, arrays = with_state()
    first = program.bind({"B": 1}, arrays)
    for size in range(2, 30):
        program.bind({"B": size}, arrays)
    assert program.bind({"B": 1}, arrays) is not first


def test_bindings_share_scratch_memory_and_not_results() -> None:
    program = compile_numpy(training_step())
    arrays = zeros(program)
    small, large = (program.bind({"B": size}, arrays) for size in (2, 100))
    for bound in (large, small):
        bound.inputs["x"][...] = 1
        bound.inputs["label"][...] = 1
    large.run(lr=0.1, step=1.0)
    before = large.outputs["loss"].copy()
    small.run(lr=0.1, step=2.0)
    assert large.outputs["loss"] == before
    assert not np.shares_memory(small.outputs["loss"], large.outputs["loss"])
    assert small.arena_bytes < large.arena_bytes


def test_scalars_are_given_by_name_at_every_run() -> None:
    program = compile_numpy(training_step())
    arrays = zeros(program)
    bound = program.bind({"B": 2}, arrays)
    assert bound.scalars == ("lr", "step")
    with pytest.raises(TypeError, match="lr"):
        bound.run(lr=0.1)


def test_draws_say_what_to_draw_and_where() -> None:
    program = compile_numpy(training_step())
    (spec,) = program.draws
    assert (spec.dist, spec.options) == ("bernoulli", {"p": 0.75, "value": 1 / 0.75})
    arrays = zeros(program)
    ((_, buffer),) = program.bind({"B": 2}, arrays).draws
    assert buffer.shape == (2, 7)


def test_specs_give_types_and_shapes_with_names_of_sizes() -> None:
    program = doubler((B, 3), (2 * B, T))
    assert {name: spec.shape for name, spec in program.inputs.items()} == {"x0": ("B", 3), "x1": ("2 * B", "T")}
    assert program.outputs["y0"].dtype == np.float32


def test_an_empty_batch_runs() -> None:
    program = doubler((B, 3))
    bound = program.bind(program.sizes_of({"x0": (0, 3)}), {})
    bound.run()
    assert bound.outputs["y0"].shape == (0, 3)
