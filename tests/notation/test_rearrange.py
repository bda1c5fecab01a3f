"""`rearrange` moves elements as einops does: the cases are worked out by NumPy by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dslc.backends.interpret import interpret
from dslc.backends.prove_onnx import prove
from dslc.backends.to_onnx import to_onnx
from dslc.graph import Graph

Array = npt.NDArray[Any]
Build = Callable[[str, Mapping[str, str], str], Graph]
X = np.arange(2 * 3 * 8, dtype=np.float32).reshape(2, 3, 8)


@pytest.mark.parametrize(
    ("text", "sizes", "result", "expected"),
    [
        ("b t d -> d t b", "", "f32[8, T, B]", X.transpose(2, 1, 0)),
        ("b t (h d) -> b h t d", "h = 4", "f32[B, 4, T, 2]", X.reshape(2, 3, 4, 2).transpose(0, 2, 1, 3)),
        ("b t (h d) -> b h t d", "d = 4", "f32[B, 2, T, 4]", X.reshape(2, 3, 2, 4).transpose(0, 2, 1, 3)),
        ("b t (h d) -> b t (d h)", "h = 4", "f32[B, T, 8]", X.reshape(2, 3, 4, 2).swapaxes(2, 3).reshape(2, 3, 8)),
        ("b t d -> (b t) d", "", "f32[B * T, 8]", X.reshape(6, 8)),
        ("b t d -> b (t d)", "", "f32[B, 8 * T]", X.reshape(2, 24)),
        ("b t (a c e) -> b (e t) (c a)", "a = 2, c = 2", "f32[B, 2 * T, 4]",
         X.reshape(2, 3, 2, 2, 2).transpose(0, 4, 1, 3, 2).reshape(2, 6, 4)),
        ("b t d -> b 1 t d 1", "", "f32[B, 1, T, 8, 1]", X[:, None, :, :, None]),
        ("b t d -> b () (t) d", "", "f32[B, 1, T, 8]", X[:, None]),
        ("... d -> d ...", "", "f32[8, B, T]", X.transpose(2, 0, 1)),
        ("b ... -> b (...)", "", "f32[B, 8 * T]", X.reshape(2, 24)),
        ("b ... d -> b d ...", "", "f32[B, 8, T]", X.transpose(0, 2, 1)),
        ("b t d ... -> ... b t d", "", "f32[B, T, 8]", X),
        ("b t (h d) -> b t (h d)", "h = 2", "f32[B, T, 8]", X),
        ("batch time feature_1 -> batch feature_1 time", "", "f32[B, 8, T]", X.swapaxes(1, 2)),
    ],
)  # fmt: skip
def test_axes_are_split_merged_and_moved(graph_of: Build, text: str, sizes: str, result: str, expected: Array) -> None:
    options = f", {sizes}" if sizes else ""
    graph = graph_of(f'rearrange(x, "{text}"{options})', {"x": "f32[B, T, 8]"}, result)
    np.testing.assert_array_equal(interpret(graph, {"x": X})["y"], expected)
    piped = graph_of(f'x |> rearrange("{text}"{options})', {"x": "f32[B, T, 8]"}, result)
    np.testing.assert_array_equal(interpret(piped, {"x": X})["y"], expected)
    assert prove(to_onnx(graph, {}, name="M", doc="", metadata={}), graph, {}).sizes


def test_axes_of_size_1_are_taken_out_on_the_left(graph_of: Build) -> None:
    graph = graph_of('rearrange(x, "1 b () d -> d b")', {"x": "f32[1, B, 1, 8]"}, "f32[8, B]")
    np.testing.assert_array_equal(interpret(graph, {"x": X[None, :, None, 0]})["y"], X[:, 0].T)


def test_sizes_may_be_run_time_sizes(graph_of: Build) -> None:
    graph = graph_of(
        'rearrange(x, "(b t) d -> b t d", b = shape(z)[0])', {"x": "f32[B * T, 8]", "z": "f32[B, T]"}, "f32[B, T, 8]"
    )
    z = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(interpret(graph, {"x": X.reshape(6, 8), "z": z})["y"], X)


@st.composite
def rearrangements(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]], dict[str, int]]:
    """Groups of axes on the left and on the right, and the size of each axis."""
    names = "abcde"[: draw(st.integers(1, 5))]
    sizes = {name: draw(st.integers(1, 3)) for name in names}
    sides = [_grouped(draw, draw(st.permutations(names))) for _ in range(2)]
    return sides[0], sides[1], sizes


def _grouped(draw: st.DrawFn, names: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for name in names:
        if groups and draw(st.booleans()):
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rearrangements(), st.data())
def test_any_rearrangement_moves_every_element_to_its_place(
    graph_of: Build, sides: tuple[list[list[str]], list[list[str]], dict[str, int]], data: st.DataObject
) -> None:
    left, right, sizes = sides
    told = [name for group in left for name in data.draw(st.permutations(group))[1:]]
    text = " -> ".join(" ".join(f"({' '.join(g)})" if len(g) > 1 else g[0] for g in side) for side in (left, right))
    shapes = [[prod(sizes[name] for name in group) for group in side] for side in (left, right)]
    options = "".join(f", {name} = {sizes[name]}" for name in told)
    graph = graph_of(f'rearrange(x, "{text}"{options})', {"x": f"f64{shapes[0]}"}, f"f64{shapes[1]}")
    x = np.arange(prod(sizes.values()), dtype=np.float64).reshape(shapes[0])
    found = interpret(graph, {"x": x})["y"]
    before, after = [name for group in left for name in group], [name for group in right for name in group]
    for place in np.ndindex(*(sizes[name] for name in before)):
        index = dict(zip(before, place, strict=True))
        moved = np.ravel_multi_index([index[name] for name in after], [sizes[name] for name in after])
        assert found.flat[moved] == x.flat[np.ravel_multi_index(place, [sizes[name] for name in before])]
