"""Images with channels last, as NumPy runs convolutions and pools; results are as before but for the order in which sums add.

Every convolution gives, and its adjoints take, `[batch, *axes, channels]`. What follows is worked out in that order too as
long as there is a rule for it: elementwise operators, pools, normalisation, reductions. Where there is none, a transpose (which
is a view) turns a value to the order its operator takes. Names, shapes and the order of parameters stay what they are.

A convolution that only a pool reads, whose windows lie side by side, gives its places apart: see `dslc.ops.channels_last`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from dslc.graph import Builder, Graph
from dslc.ops.channels_last import to_first, to_last
from dslc.ops.ir import Attr, Node, Value
from dslc.passes.views import POINTWISE
from dslc.record import record

_ADJOINTS = frozenset({"conv_input_grad", "conv_weight_grad"})
_CONVOLUTIONS = _ADJOINTS | {"conv"}


def channels_last(graph: Graph) -> Graph:
    """The graph with channels last around its convolutions."""
    if not any(node.op in _CONVOLUTIONS for node in graph.nodes.values()):
        return graph
    turning = _Turning(_apart(graph))
    for node in graph.order():
        with turning.b.at(node.span, node.layer):
            turning.visit(node)
    result = turning.b.graph
    result.outputs = {name: turning.first(value) for name, value in graph.outputs.items()}
    result.updates = {name: turning.first(value) for name, value in graph.updates.items()}
    return result


# ---------------------------------------------------------------------------------------------- places apart


@record
class _Pooled:
    """A convolution whose places lie apart, and the window of the pool that reads it."""

    conv: Value
    window: tuple[int, ...]


def _apart(graph: Graph) -> dict[int, _Pooled]:
    """The convolutions whose places lie apart, the pools that read them and these pools' gradients, by id."""
    found: dict[int, _Pooled] = {}
    results = {value.id for value in graph.results()}
    for node in graph.order():
        members = _readers(graph, node) if node.op == "conv" else None
        if members is None or any(member.id in results for member in members if member.op != "max_pool"):
            continue
        window = members[1].attrs.ints("window")
        found |= {member.id: _Pooled(node.out, window) for member in members}
    return found


def _readers(graph: Graph, conv: Node) -> list[Node] | None:
    """A convolution, the pools that read it and their gradients; None where anything else is read by another."""
    pools = [user for user, _ in graph.uses(conv.out)]
    if not _is_whole(conv) or not pools or not all(_side_by_side(pool, pools[0]) for pool in pools):
        return None
    puts = [user for pool in pools if pool.op == "max_pool_tap" for user, _ in graph.uses(pool.out)]
    users = [user for put in puts for user, _ in graph.uses(put.out)]
    fits = all(put.op == "put_tap" for put in puts) and all(user.op in _ADJOINTS and _is_whole(user) for user in users)
    return [conv, *pools, *puts] if fits else None


def _is_whole(conv: Node) -> bool:
    """Whether all channels meet all filters."""
    return conv.attrs.int("groups") == 1


def _side_by_side(pool: Node, like: Node) -> bool:
    """Whether a node is a maximum pool, or asks where the maxima are, whose windows leave nothing out and have nothing beside."""
    if pool.op not in ("max_pool", "max_pool_tap") or pool.attrs != like.attrs:
        return False
    window = pool.attrs.ints("window")
    return (
        pool.attrs.ints("stride") == window
        and prod(window) > 1
        and not any(pad != 0 for pad in pool.attrs.shape("pad"))
    )


# ---------------------------------------------------------------------------------------------- one node after another


@dataclass(slots=True)
class _Turning:
    """What the values of the old graph are in the new one: as they were, with channels last, or with places apart."""

    pooled: Mapping[int, _Pooled]
    b: Builder = field(default_factory=Builder)
    plain: dict[int, Value] = field(default_factory=dict[int, Value])
    last: dict[int, Value] = field(default_factory=dict[int, Value])
    apart: dict[int, Value] = field(default_factory=dict[int, Value])

    def visit(self, node: Node) -> None:
        """Make a node's value. Where there is no rule for it, it takes its operands as they were."""
        rule = _RULES.get(node.op)
        if rule is None or not rule(self, node):
            self.plain[node.id] = self.b.copy(node, [self.first(value) for value in node.inputs])
        for made in (self.plain, self.last, self.apart):
            if node.id in made:
                made[node.id] = self.b.named(made[node.id], node.name)

    def first(self, value: Value) -> Value:
        """A value as it was."""
        return self.plain[value.id] if value.id in self.plain else to_first(self.b, self.last[value.id])

    def turned(self, value: Value) -> Value:
        """A value with channels last."""
        return self.last[value.id] if value.id in self.last else to_last(self.b, self.plain[value.id])

    def is_last(self, *values: Value) -> bool:
        """Whether one of some values is made with channels last."""
        return any(value.id in self.last for value in values)


_Rule: TypeAlias = Callable[[_Turning, Node], bool]  # makes the value of a node, or says that it does not


def _options(node: Node, apart: tuple[int, ...]) -> dict[str, Attr]:
    """The options of a convolution, or an adjoint, with channels last."""
    return {**{name: node.attrs[name] for name in node.attrs if name != "groups"}, "apart": apart}


def _conv(t: _Turning, node: Node) -> bool:
    if not _is_whole(node):
        return False
    x, w = node.inputs
    pooled = t.pooled.get(node.id)
    made, apart = (t.last, _together(node.out)) if pooled is None else (t.apart, pooled.window)
    made[node.id] = t.b.apply("conv_last", t.turned(x), t.first(w), **_options(node, apart))
    return True


def _cotangent(t: _Turning, g: Value) -> tuple[Value, tuple[int, ...]]:
    """A cotangent as an adjoint takes it, and how its places lie apart."""
    if g.id in t.apart:
        return t.apart[g.id], t.pooled[g.id].window
    return t.turned(g), _together(g)


def _together(y: Value) -> tuple[int, ...]:
    """Places that do not lie apart."""
    return (1,) * (y.type.rank - 2)


def _input_grad(t: _Turning, node: Node) -> bool:
    if not _is_whole(node):
        return False
    g, w = node.inputs
    cotangent, apart = _cotangent(t, g)
    t.last[node.id] = t.b.apply("conv_input_grad_last", cotangent, t.first(w), **_options(node, apart))
    return True


def _weight_grad(t: _Turning, node: Node) -> bool:
    if not _is_whole(node):
        return False
    x, g = node.inputs
    cotangent, apart = _cotangent(t, g)
    t.plain[node.id] = t.b.apply("conv_weight_grad_last", t.turned(x), cotangent, **_options(node, apart))
    return True


def _pool(t: _Turning, node: Node) -> bool:
    pooled = t.pooled.get(node.id)
    if pooled is not None:
        return _pool_apart(t, node, t.apart[pooled.conv.id])
    if not t.is_last(*node.inputs):
        return False
    t.last[node.id] = t.b.apply(f"{node.op}_last", *map(t.turned, node.inputs), **node.attrs)
    return True


def _pool_apart(t: _Turning, node: Node, x: Value) -> bool:
    largest = t.b.apply("max", x, axes=(0,), keepdims=False)
    if node.op == "max_pool":
        t.last[node.id] = largest
    elif node.op == "put_tap":
        t.apart[node.id] = t.b.apply("put_largest", t.turned(node.inputs[0]), largest, x)
    return True  # where the maxima are is not asked: the gradient compares


def _pointwise(t: _Turning, node: Node) -> bool:
    if not any(t.is_last(value) and value.shape == node.out.shape for value in node.inputs):
        return False
    operands = [_broadcasting(t, value, node.out.type.rank) for value in node.inputs]
    t.last[node.id] = t.b.apply(node.op, *operands, **node.attrs)
    return True


def _broadcasting(t: _Turning, value: Value, rank: int) -> Value:
    """A value of at most some rank as it broadcasts against one with channels last."""
    if not value.shape:
        return t.first(value)
    if value.type.rank == rank:
        return t.turned(value)
    return to_last(t.b, t.b.apply("expand_dims", t.first(value), axis=tuple(range(rank - value.type.rank))))


def _reduction(t: _Turning, node: Node) -> bool:
    (x,) = node.inputs
    axes, rank = node.attrs.ints("axes"), x.type.rank
    if not t.is_last(x):
        return False
    turned = tuple(sorted(_turned_axis(axis, rank) for axis in axes))
    given = {**node.attrs, "axes": turned}
    if node.attrs.bool("keepdims"):
        t.last[node.id] = t.b.apply(node.op, t.turned(x), **given)
        return True
    if 1 not in axes and set(range(2, rank)) - set(axes):
        return False  # what is left would be in another order
    t.plain[node.id] = t.b.apply(node.op, t.turned(x), **given)
    return True


def _turned_axis(axis: int, rank: int) -> int:
    """Where an axis is when channels are last."""
    return axis if axis == 0 else rank - 1 if axis == 1 else axis - 1


def _by_axis(t: _Turning, node: Node) -> bool:
    axis, rank = node.attrs.int("axis"), node.out.type.rank
    if not t.is_last(*(value for value in node.inputs if value.type.rank == rank)):
        return False
    operands = [t.turned(value) if value.type.rank == rank else t.first(value) for value in node.inputs]
    t.last[node.id] = t.b.apply(node.op, *operands, **{**node.attrs, "axis": _turned_axis(axis, rank)})
    return True


def _standardize(t: _Turning, node: Node) -> bool:
    (x,) = node.inputs
    if not t.is_last(x):
        return False
    axes = tuple(sorted(_turned_axis(axis, x.type.rank) for axis in node.attrs.ints("axes")))
    t.last[node.id] = t.b.apply(node.op, t.turned(x), **{**node.attrs, "axes": axes})
    return True


_RULES: dict[str, _Rule] = {
    "conv": _conv,
    "conv_input_grad": _input_grad,
    "conv_weight_grad": _weight_grad,
    **dict.fromkeys(("max_pool", "max_pool_tap", "take_tap", "put_tap", "avg_pool", "spread"), _pool),
    **dict.fromkeys(sorted(POINTWISE), _pointwise),
    **dict.fromkeys(("sum", "mean", "max", "min", "variance"), _reduction),
    **dict.fromkeys(("batch_norm", "concat"), _by_axis),
    "standardize": _standardize,
}
