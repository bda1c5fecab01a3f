"""Graphs with a `scan`, made by hand: what the tests of gradients, passes and exports of recurrences share.

Each has inputs named by what they are, float64, and some float outputs. `T` and `B` stay symbolic.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from dslc.autodiff import gradients
from dslc.graph import Builder, Graph
from dslc.graph.region import ScanBody
from dslc.ops.ir import Value
from dslc.tensor_type import Dim, DType, TensorType, evaluate, symbol

T, B, D, N = symbol("T"), symbol("B"), 3, 4
F64 = DType.F64


class Made:
    """A graph, or the body of a scan, under construction."""

    def __init__(self, builder: Builder | None = None) -> None:
        self.b = Builder() if builder is None else builder

    def leaf(self, name: str, *shape: Dim, op: str = "input") -> Value:
        return self.b.leaf(op, TensorType(F64, shape), **{"key" if op == "param" else "name": name})

    def __call__(self, op: str, *operands: Value | float, **attrs: Any) -> Value:
        made = [self.b.constant(x, F64) if isinstance(x, int | float) else x for x in operands]
        return self.b.apply(op, *made, **attrs)

    def part(self, x: Value, start: int, stop: int) -> Value:
        """A slice of the last axis."""
        before = (None,) * (x.type.rank - 1)
        return self("slice", x, starts=(*before, start), stops=(*before, stop))


def plain(reverse: bool = False) -> Graph:
    """h' = tanh(x W + h U + b)."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, w, u, b, h0 = m.leaf("x", T, B, D), m.leaf("w", D, N), m.leaf("u", N, N), m.leaf("b", N), m.leaf("h0", B, N)
    h, e = step.state(h0), step.element(x)
    z = i("add", i("matmul", e, step.constant(w)), i("matmul", h, step.constant(u)))
    after = i("tanh", i("add", z, step.constant(b)))
    last, all_ = step.finish(m.b, [after], [after], reverse)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def backwards() -> Graph:
    return plain(reverse=True)


def lstm_like() -> Graph:
    """Two states; four gates in one product, cut apart; the output is not a state."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, h0, c0 = m.leaf("x", T, B, D), m.leaf("h0", B, N), m.leaf("c0", B, N)
    w, u, b, v = m.leaf("w", D, 4 * N), m.leaf("u", N, 4 * N), m.leaf("b", 4 * N), m.leaf("v", N, 2)
    h, c, e = step.state(h0), step.state(c0), step.element(x)
    z = i("matmul", e, step.constant(w))
    z = i("add", i("add", z, i("matmul", h, step.constant(u))), step.constant(b))
    gates = [i.part(z, k * N, (k + 1) * N) for k in range(4)]
    take, keep, out = (i("sigmoid", gates[k]) for k in (0, 1, 3))
    cell = i("add", i("mul", keep, c), i("mul", take, i("tanh", gates[2])))
    after = i("mul", out, i("tanh", cell))
    read = i("matmul", after, step.constant(v))
    h_last, c_last, y = step.finish(m.b, [after, cell], [read], reverse=False)
    m.b.graph.outputs |= {"h": h_last, "c": c_last, "y": y}
    return m.b.graph


def several_sequences() -> Graph:
    """Two sequences, a mask among them, and outputs that depend on no state."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, y, s0 = m.leaf("x", T, B, N), m.leaf("y", T, N), m.leaf("h0", B, N)
    scale = m.leaf("scale", N)
    h, e, f = step.state(s0), step.element(x), step.element(y)
    open_ = i("gt", f, 0.0)
    mixed = i("mul", i("mul", e, f), step.constant(scale))
    after = i("where", open_, i("add", i("mul", h, 0.5), mixed), h)
    aside = i("softmax", i("mul", e, step.constant(scale)), axis=1)
    last, all_, other = step.finish(m.b, [after], [i("square", after), aside], reverse=False)
    m.b.graph.outputs |= {"last": last, "all": all_, "other": other}
    return m.b.graph


def vectors() -> Graph:
    """A state without batch; a parameter that is used elementwise, and one that is sliced."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, h0, u, decay = m.leaf("x", T, N), m.leaf("h0", N), m.leaf("u", N, 2 * N), m.leaf("decay", N)
    h, e, d, c = step.state(h0), step.element(x), step.constant(decay), step.constant(u)
    left, right = i.part(c, 0, N), i.part(c, N, 2 * N)
    after = i("tanh", i("add", i("matmul", i("mul", h, d), left), i("matmul", e, right)))
    last, all_ = step.finish(m.b, [after], [i("mul", after, d)], reverse=True)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def nested() -> Graph:
    """A scan over rows inside a scan over images; the inner one starts from the outer state."""
    m, step = Made(), ScanBody()
    x, h0, u = m.leaf("x", T, 3, B, N), m.leaf("h0", B, N), m.leaf("u", N, N)
    rows, h, c = step.element(x), step.state(h0), step.constant(u)
    inner = ScanBody()
    i = Made(inner.builder)
    s, e = inner.state(h), inner.element(rows)
    after = i("tanh", i("add", i("matmul", s, inner.constant(c)), e))
    end, all_rows = inner.finish(step.builder, [after], [after], reverse=True)
    o = Made(step.builder)
    out = o("mean", all_rows, axes=(0,), keepdims=False)
    last, means = step.finish(m.b, [o("add", o("mul", h, 0.5), end)], [out], reverse=False)
    m.b.graph.outputs |= {"last": last, "means": means}
    return m.b.graph


def batched_product() -> Graph:
    """The state is a stack of matrices, multiplied by a weight and by each other."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, h0, u = m.leaf("x", T, B, 2, N), m.leaf("h0", B, 2, N), m.leaf("u", N, N)
    h, e = step.state(h0), step.element(x)
    scores = i("softmax", i("matmul", h, i("transpose", e, axes=(0, 2, 1))), axis=-1)
    after = i("tanh", i("matmul", i("matmul", scores, e), step.constant(u)))
    last, all_ = step.finish(m.b, [after], [scores], reverse=False)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def two_layers() -> Graph:
    """A scan over what another scan gave, in the other direction."""
    m, first, second = Made(), ScanBody(), ScanBody()
    x, h0, u = m.leaf("x", T, B, N), m.leaf("h0", B, N), m.leaf("u", N, N)
    i = Made(first.builder)
    h, e = first.state(h0), first.element(x)
    after = i("tanh", i("add", e, i("matmul", h, first.constant(u))))
    last, all_ = first.finish(m.b, [after], [after], reverse=False)
    i = Made(second.builder)
    h, e = second.state(last), second.element(all_)
    after = i("sigmoid", i("add", i("matmul", e, second.constant(u)), i("matmul", h, second.constant(u))))
    last, all_ = second.finish(m.b, [after], [after], reverse=True)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def joined() -> Graph:
    """A gate and a new value of the element and the state side by side: the minimal gated unit."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, h0 = m.leaf("x", T, B, D), m.leaf("h0", B, N)
    w, b, v = m.leaf("w", D + N, N), m.leaf("b", N), m.leaf("v", N + D + N, N)
    h, e = step.state(h0), step.element(x)
    gate = i("sigmoid", i("add", i("matmul", i("concat", e, h, axis=1), step.constant(w)), step.constant(b)))
    new = i("tanh", i("matmul", i("concat", h, e, i("mul", gate, h), axis=1), step.constant(v)))
    after = i("add", i("mul", i("sub", 1.0, gate), h), i("mul", gate, new))
    last, all_ = step.finish(m.b, [after], [after], reverse=True)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def lookups() -> Graph:
    """Rows of a table are looked up inside, by ids that come from numbers."""
    m, step = Made(), ScanBody()
    i = Made(step.builder)
    x, h0, table = m.leaf("x", T, B), m.leaf("h0", B, N), m.leaf("table", 5, N)
    h, e = step.state(h0), step.element(x)
    ids = i("cast", i("clip", i("mul", i("abs", e), 2.0), low=0.0, high=4.0), dtype=DType.I64)
    after = i("tanh", i("add", h, i("gather", step.constant(table), ids)))
    last, all_ = step.finish(m.b, [after], [after], reverse=False)
    m.b.graph.outputs |= {"last": last, "all": all_}
    return m.b.graph


def counting() -> Graph:
    """A whole-number state beside one of floats, and a sum without any residual."""
    m, step, total = Made(), ScanBody(), ScanBody()
    i = Made(step.builder)
    x, h0 = m.leaf("x", T, N), m.leaf("h0", N)
    n = step.state(m.b.constant(1, DType.I64))
    h, e = step.state(h0), step.element(x)
    weight = i("reciprocal", i("cast", n, dtype=F64))
    after = i("add", i("mul", h, i("sub", 1.0, weight)), i("mul", i("tanh", e), weight))
    count = i("add", n, step.builder.constant(1, DType.I64))
    _, mean, means = step.finish(m.b, [count, after], [after], reverse=False)
    after = total.builder.apply("add", total.state(h0), total.element(x))
    (whole,) = total.finish(m.b, [after], [], reverse=True)
    m.b.graph.outputs |= {"mean": mean, "means": means, "whole": whole}
    return m.b.graph


GRAPHS: dict[str, Callable[[], Graph]] = {
    made.__name__: made
    for made in (
        plain,
        backwards,
        lstm_like,
        several_sequences,
        vectors,
        nested,
        batched_product,
        two_layers,
        joined,
        lookups,
        counting,
    )
}


def numbers(graph: Graph, steps: int, batch: int = 2, seed: int = 0) -> dict[str, npt.NDArray[np.float64]]:
    """Values for the inputs of a graph."""
    generator, sizes = np.random.default_rng(seed), {"T": steps, "B": batch}
    feeds: dict[str, npt.NDArray[np.float64]] = {}
    for node in graph.leaves("input"):
        shape = [evaluate(dim, sizes) for dim in node.out.shape]
        feeds[node.attrs.str("name")] = generator.normal(scale=0.6, size=shape)
    return feeds


def with_gradients(graph: Graph) -> Graph:
    """The graph with the gradient of the sum of its squared outputs by every input."""
    b = Builder(graph)
    total = b.constant(0.0, F64)
    for value in list(graph.outputs.values()):
        total = b.apply("add", total, b.apply("sum", b.apply("square", value)))
    leaves = graph.leaves("input")
    found = gradients(b, total, [node.out for node in leaves])
    graph.outputs |= {f"d {node.attrs['name']}": g for node, g in zip(leaves, found, strict=True)}
    return graph


# ---------------------------------------------------------------------------------------------- random ones

_UNARY = ("tanh", "sigmoid", "square", "neg", "relu")
_BINARY = ("add", "sub", "mul", "maximum")
_KINDS = ("unary", "binary", "chain", "matmul", "joined", "mean", "softmax", "cut", "turn", "choose")


class Bodies:
    """A random scan over leaves of several shapes; values of a body that would not fit together are brought to [B, N]."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        m, self.step = Made(), ScanBody()
        self.m, self.i = m, Made(self.step.builder)
        self.states = [self.step.state(m.leaf(f"h{k}", B, N)) for k in range(chance.randint(1, 3))]
        elements = [self.step.element(m.leaf(f"x{k}", T, *shape)) for k, shape in enumerate(((B, N), (N,), (), (B, 1)))]
        weights = [m.leaf("u", N, N), m.leaf("w", 2 * N, N), m.leaf("b", N), m.leaf("k")]
        self.square, self.tall = map(self.step.constant, weights[:2])
        self.pool = [*self.states, *elements, *map(self.step.constant, weights[2:])]

    def pick(self) -> Value:
        return self.chance.choice(self.pool)

    def full(self, x: Value) -> Value:
        """The value with the shape of a state."""
        return x if x.shape == (B, N) else self.i("expand", x, sizes=(B, N))

    def grow(self) -> None:
        kind = self.chance.choice(_KINDS)
        x = self.pick()
        if kind == "unary":
            made = self.i(self.chance.choice(_UNARY), x)
        elif kind == "binary":
            made = self.i(self.chance.choice(_BINARY), x, self.pick())
        elif kind == "chain":
            op = self.chance.choice(("add", "mul"))
            made = self.i("tanh", self.i(op, self.i(op, self.chance.choice(self.states), x), self.pick()))
        elif kind == "matmul":
            made = self.i("tanh", self.i("matmul", self.full(x), self.square))
        elif kind == "joined":
            parts = [self.full(x), self.chance.choice(self.states)]
            made = self.i("tanh", self.i("matmul", self.i("concat", *parts, axis=1), self.tall))
        elif kind == "mean":
            made = self.i("mean", self.full(x), axes=(self.chance.randint(0, 1),), keepdims=True)
        elif kind == "softmax":
            made = self.i("softmax", self.full(x), axis=1)
        elif kind == "cut":
            parts = [self.i.part(self.full(x), 2, N), self.i.part(self.full(self.pick()), 0, 2)]
            made = self.i("concat", *parts, axis=1)
        elif kind == "turn":
            turned = self.i("transpose", self.full(x), axes=(1, 0))
            made = self.i("transpose", self.i("tanh", turned), axes=(1, 0))
        else:
            made = self.i("where", self.i("gt", x, 0.1), self.pick(), self.pick())
        self.pool.append(made)

    def graph(self) -> Graph:
        for _ in range(self.chance.randint(1, 9)):
            self.grow()
        after = [self.after(state) for state in self.states]
        outputs = [self.pick() for _ in range(self.chance.randint(1, 3))]
        results = self.step.finish(self.m.b, after, outputs, self.chance.random() < 0.5)
        self.m.b.graph.outputs |= {str(i): value for i, value in enumerate(results)}
        return self.m.b.graph

    def after(self, state: Value) -> Value:
        """What a state is after a step: some stay what they are."""
        return state if self.chance.random() < 0.2 else self.i("tanh", self.full(self.pick()))


def random_scan(chance: Random) -> Graph:
    return Bodies(chance).graph()


@st.composite
def random_scans(draw: st.DrawFn) -> Graph:
    return random_scan(draw(st.randoms(use_true_random=False)))
