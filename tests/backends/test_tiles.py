"""Loops over tiles: with arrays longer and shorter than a tile, random graphs compute the same bytes, in proved memory."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import SETTINGS, feeds, random_graphs, run_both
from hypothesis import given
from hypothesis import strategies as st

from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.plan.model import Loop
from dslc.backends.plan_check import check_program
from dslc.backends.to_numpy import compile_numpy
from dslc.graph import Builder, Graph
from dslc.tensor_type import DType, TensorType, symbol
from dslc_runtime.kernels import KERNELS
from dslc_runtime.tiles import in_tiles, tile_of

TILE = 3  # arrays of twelve elements and more are in tiles: those of graphs have four for each of a batch, 16 or 20
SIZES = (1, 2, 3, 5)


def chain(dtype: DType = DType.F32) -> Graph:
    """Four steps with a temporary, two views on the way and a number that every element takes."""
    b = Builder()
    shape = (symbol("B"), 8, 5)
    x = b.leaf("input", TensorType(dtype, shape), name="x")
    y = b.apply("mul", b.apply("square", x), b.leaf("input", TensorType(dtype), name="scale"))
    same = b.apply("stop_gradient", y)
    b.graph.outputs = {"z": b.apply("exp", b.apply("neg", b.apply("add", same, x)))}
    return b.graph


@st.composite
def chains(draw: st.DrawFn) -> Graph:
    """Hardly anything but elementwise steps on arrays of two shapes, with numbers, views and stretches of a state."""
    b = Builder()
    f32 = lambda *shape: TensorType(DType.F32, shape)  # noqa: E731
    s, long = b.leaf("state", f32(16), name="s"), b.leaf("state", f32(32), name="long")
    stretches = [b.apply("segment", long, offset=offset, sizes=(16,)) for offset in (0, 5, 16)]
    pools = [
        [
            b.leaf("input", f32(symbol("B"), 4), name="x"),
            b.leaf("draw", f32(symbol("B"), 4), dist="normal", stream="r"),
        ],
        [s, b.leaf("param", f32(16), key="w"), *stretches],
    ]
    numbers = [b.leaf("input", f32(), name="a"), b.constant(0.5, DType.F32), b.apply("segment", s, offset=3, sizes=())]
    for pool in draw(st.lists(st.sampled_from(pools), min_size=3, max_size=16)):
        op = draw(st.sampled_from(["neg", "square", "tanh", "stop_gradient", "add", "sub", "maximum"]))
        x, y = draw(st.sampled_from(pool)), draw(st.sampled_from(pool + numbers))
        pool.append(b.apply(op, *((x, y) if op in ("add", "sub", "maximum") else (x,))))
    b.graph.outputs = {f"y{number}": draw(st.sampled_from(pool)) for number, pool in enumerate(pools)}
    b.graph.outputs["loss"] = b.apply("sum", draw(st.sampled_from(pools[0])))
    halves = [draw(st.sampled_from(pools[1])) for _ in range(2)]
    b.graph.updates = {"s": draw(st.sampled_from(pools[1])), "long": b.apply("pack", *halves)}
    return b.graph


def loops_of(graph: Graph) -> list[Loop]:
    return [step for step in plan(specialise(graph), tile=TILE).steps if isinstance(step, Loop)]


@SETTINGS
@given(random_graphs() | chains())
def test_tiles_change_no_bit_of_a_result(graph: Graph) -> None:
    whole, tiled, poisoned = (
        compile_numpy(graph),
        compile_numpy(graph, tile=TILE),
        compile_numpy(graph, tile=TILE, poison=True),
    )
    for size in SIZES:
        sizes = dict.fromkeys(whole.face.sizes, size) or {"B": size}
        expected = [results for _, results in run_both(graph, whole, sizes)]
        for program in (tiled, poisoned):
            for wanted, (_, results) in zip(expected, run_both(graph, program, sizes), strict=True):
                for name, value in wanted.items():
                    np.testing.assert_array_equal(results[name], value, err_msg=name)


@SETTINGS
@given(random_graphs() | chains())
def test_the_memory_of_a_program_with_tiles_is_proved(graph: Graph) -> None:
    special, program = specialise(graph), compile_numpy(graph, tile=TILE)
    for size in SIZES:
        check_program(special, program, {"B": size})


def test_a_third_of_the_random_graphs_have_loops() -> None:
    counts: list[int] = []

    @SETTINGS
    @given(random_graphs() | chains())
    def look(graph: Graph) -> None:
        counts.append(len(loops_of(graph)))

    look()
    assert 3 * sum(count > 0 for count in counts) >= len(counts)


@pytest.mark.parametrize("dtype", [DType.F32, DType.F64])
@pytest.mark.parametrize("size", [0, 1, 2, 9])
def test_views_and_temporaries_within_a_loop_are_those_of_the_tile(dtype: DType, size: int) -> None:
    graph = chain(dtype)
    program = compile_numpy(graph, tile=TILE)
    assert len(loops_of(graph)) == 1
    check_program(specialise(graph), program, {"B": size})
    bound = program.bind({"B": size}, {})
    given = feeds(graph, {"B": size})
    for name, buffer in bound.inputs.items():
        buffer[...] = given[name]
    bound.run()
    x = given["x"]
    np.testing.assert_array_equal(bound.outputs["z"], np.exp(-(np.square(x) * given["scale"] + x)))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "?"])
@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.pointwise])
def test_a_pointwise_kernel_computes_a_piece_of_its_result_from_the_same_pieces_to_the_last_bit(
    name: str, dtype: str
) -> None:
    ufunc = KERNELS[name].into
    assert isinstance(ufunc, np.ufunc)
    generator = np.random.default_rng(0)
    operands = [(9 * generator.standard_normal(999)).astype(dtype) for _ in range(ufunc.nin)]
    try:
        with np.errstate(all="ignore"):
            whole = ufunc(*operands)
    except TypeError:
        pytest.skip(f"{name} takes no {dtype}")
    with np.errstate(all="ignore"):
        pieces = [ufunc(*piece) for piece in in_tiles(64, operands, ())]
    np.testing.assert_array_equal(np.concatenate(pieces).view("u1"), whole.view("u1"))


def test_tiles_are_pieces_of_all_arrays_and_the_last_is_what_is_left() -> None:
    x, y, scratch = np.arange(14.0).reshape(2, 7), np.arange(14.0), np.empty(3)
    pieces = in_tiles(3, (x, y), (scratch,))
    assert [len(piece) for piece, _, _ in pieces] == [3, 3, 3, 3, 2]
    for piece, other, memory in pieces:
        np.testing.assert_array_equal(piece, other)
        assert np.shares_memory(piece, x)
        assert memory.shape == piece.shape
        assert np.shares_memory(memory, scratch)


def test_short_arrays_are_one_tile() -> None:
    assert [tile_of(length, 3) for length in (0, 1, 11, 12, 100)] == [0, 1, 11, 3, 3]
