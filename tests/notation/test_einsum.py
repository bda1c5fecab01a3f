"""`einsum` computes what `numpy.einsum` does, for any sizes, and its gradient and export are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dslc.autodiff import gradients
from dslc.backends.interpret import interpret
from dslc.backends.prove_onnx import prove
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Builder, Graph
from dslc.tensor_type import Size

Array = npt.NDArray[Any]
Build = Callable[[str, Mapping[str, str], str], Graph]
LETTERS = "abcdef"


def numbers(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def types(terms: list[str], sizes: Mapping[str, int], symbolic: set[str]) -> list[str]:
    """The type of each term: a run-time size for the letters in `symbolic`."""
    return [f"f64[{', '.join(c.upper() if c in symbolic else str(sizes[c]) for c in term)}]" for term in terms]


@st.composite
def formulas(draw: st.DrawFn) -> tuple[list[str], str]:
    """Terms of different letters, and a result of some of them."""
    term = st.lists(st.sampled_from(LETTERS), unique=True, max_size=4).map("".join)
    terms = draw(st.lists(term, min_size=1, max_size=3))
    letters = sorted(set("".join(terms)))
    result = draw(st.lists(st.sampled_from(letters), unique=True)) if letters else []
    return terms, "".join(result)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(formulas(), st.lists(st.integers(1, 4), min_size=6, max_size=6), st.sets(st.sampled_from(LETTERS)))
def test_any_formula_gives_what_numpy_gives(
    graph_of: Build, formula: tuple[list[str], str], lengths: list[int], symbolic: set[str]
) -> None:
    terms, result = formula
    sizes = dict(zip(LETTERS, lengths, strict=True))
    names = [f"x{i}" for i in range(len(terms))]
    inputs = dict(zip(names, types(terms, sizes, symbolic), strict=True))
    text = f"{', '.join(' '.join(term) for term in terms)} -> {' '.join(result)}"
    graph = graph_of(f'einsum("{text}", {", ".join(names)})', inputs, types([result], sizes, symbolic)[0])
    feeds = {
        name: numbers(i, *(sizes[c] for c in term)) for i, (name, term) in enumerate(zip(names, terms, strict=True))
    }
    expected = np.einsum(f"{','.join(terms)}->{result}", *feeds.values())
    np.testing.assert_allclose(interpret(graph, feeds)["y"], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "shapes", "result"),
    [
        ("... i j, ... j k -> ... i k", ((2, 3, 4, 5), (2, 3, 5, 6)), "f64[2, 3, 4, 6]"),
        ("... i j, j k -> ... i k", ((2, 3, 4, 5), (5, 6)), "f64[2, 3, 4, 6]"),
        ("... i, ... i -> ...", ((2, 1, 4), (3, 4)), "f64[2, 3]"),
        ("... i, ... -> i ...", ((3, 4), (2, 1)), "f64[4, 2, 3]"),
        ("b ... -> ... b", ((2, 3, 4),), "f64[3, 4, 2]"),
        ("... -> ...", ((2, 1),), "f64[2, 1]"),
    ],
)
def test_axes_under_dots_are_kept_and_broadcast(
    graph_of: Build, text: str, shapes: tuple[tuple[int, ...], ...], result: str
) -> None:
    names = [f"x{i}" for i in range(len(shapes))]
    inputs = {name: f"f64[{', '.join(map(str, shape))}]" for name, shape in zip(names, shapes, strict=True)}
    graph = graph_of(f'einsum("{text}", {", ".join(names)})', inputs, result)
    feeds = {name: numbers(i, *shape) for i, (name, shape) in enumerate(zip(names, shapes, strict=True))}
    plain = text.replace(" ", "")
    np.testing.assert_allclose(interpret(graph, feeds)["y"], np.einsum(plain, *feeds.values()), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "count", "steps"),
    [
        ("b t d, d e -> b t e", 2, ["reshape", "matmul", "reshape"]),
        ("b h t d, b h u d -> b h t u", 2, ["transpose", "matmul"]),
        ("e d, b d -> b e", 2, ["transpose", "matmul"]),
        ("i, i ->", 2, ["matmul"]),
        ("i, j -> i j", 2, ["reshape", "reshape", "mul"]),
        ("b i, b i -> b", 2, ["mul", "sum"]),
        ("b i, b i -> b i", 2, ["mul"]),
        ("b i -> i", 1, ["sum"]),
        ("i j -> i j", 1, []),
        ("i j, j k, k l -> i l", 3, ["matmul", "matmul"]),
    ],
)
def test_a_pair_is_one_matrix_product_where_it_can_be(graph_of: Build, text: str, count: int, steps: list[str]) -> None:
    terms, result = text.replace(" ", "").split("->")
    inputs = {f"x{i}": type_ for i, type_ in enumerate(types(terms.split(","), {}, set("abcdefghijklmnopqrstuvw")))}
    graph = graph_of(
        f'einsum("{text}", {", ".join(inputs)})', inputs, types([result], {}, set("abcdefghijklmnopqrstuvw"))[0]
    )
    assert len(inputs) == count
    assert [node.op for node in graph.order() if node.inputs] == steps


FORMULAS = [
    ("b t d, b u d -> b t u", ("f64[B, 3, 2]", "f64[B, 4, 2]"), "f64[B, 3, 4]"),
    ("b i, i j, j -> b", ("f64[B, 3]", "f64[3, 2]", "f64[2]"), "f64[B]"),
    ("b i j -> j b", ("f64[B, 3, 2]",), "f64[2, B]"),
    ("b i, b j -> b i j", ("f64[B, 3]", "f64[B, 2]"), "f64[B, 3, 2]"),
]


@pytest.mark.parametrize(("text", "operands", "result"), FORMULAS)
def test_its_gradient_is_that_of_central_differences(
    graph_of: Build, text: str, operands: tuple[str, ...], result: str
) -> None:
    inputs = {f"x{i}": type_ for i, type_ in enumerate(operands)}
    graph = graph_of(f'einsum("{text}", {", ".join(inputs)})', inputs, result)
    leaves = {node.attrs.str("name"): node.out for node in graph.leaves("input")}
    feeds = {name: numbers(5, *(2 if isinstance(d, Size) else d for d in leaf.shape)) for name, leaf in leaves.items()}
    builder = Builder(graph)
    loss = builder.apply("sum", builder.apply("sin", graph.outputs["y"]))
    graph.outputs = {"loss": loss, **dict(zip(leaves, gradients(builder, loss, list(leaves.values())), strict=True))}
    found = interpret(graph, feeds)
    for name, array in feeds.items():
        for index in np.ndindex(array.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = array.copy()
                moved[index] += step
                ends.append(float(interpret(graph, {**feeds, name: moved})["loss"]))
            assert found[name][index] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("text", "operands", "result"), FORMULAS)
def test_onnx_runtime_computes_what_the_numpy_engine_computes(
    graph_of: Build, text: str, operands: tuple[str, ...], result: str
) -> None:
    inputs = {f"x{i}": type_.replace("f64", "f32") for i, type_ in enumerate(operands)}
    graph = graph_of(f'einsum("{text}", {", ".join(inputs)})', inputs, result.replace("f64", "f32"))
    assert prove(to_onnx(graph, {}, name="M", doc="", metadata={}), graph, {}).sizes
