"""`l1(factor, on = PATTERN)` and `l2(...)` in a loss: penalties on the parameters that the step updates.

l2 is ``factor * sum(w^2)`` over all elements of all parameters the pattern matches, as Keras' regularizer; l1 is
``factor * sum(|w|)``. PyTorch's `weight_decay` is an option of the optimizers and half as strong: its gradient is ``factor * w``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.arguments import failed, match, options
from dslc.check.operators import apply_op, literal_tensor
from dslc.check.patterns import select
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.typed import ParamSpec, TypedValue
from dslc.check.values import FAILED, Failed, LocalFunction, Value
from dslc.ops.ir import Attrs
from dslc.ops.opdef import Option
from dslc.tensor_type import TensorType

#: What is done to each element before the sum.
_ELEMENT = {"l1": "abs", "l2": "square"}
_OPTIONS = (Option("factor", "float", required=True), Option("on", "string", "*"))


def penalties(context: Context, params: Mapping[str, ParamSpec], updates: Sequence[str]) -> list[LocalFunction]:
    """The penalties as functions of a step's scope."""

    def make(name: str) -> LocalFunction:
        def call(args: Sequence[Argument], site: CallSite) -> Value:
            return _penalty(context, name, params, updates, args, site)

        return LocalFunction(name, call)

    return [make(name) for name in _ELEMENT]


def _penalty(
    context: Context,
    name: str,
    params: Mapping[str, ParamSpec],
    updates: Sequence[str],
    args: Sequence[Argument],
    site: CallSite,
) -> Value:
    if failed(args):
        return FAILED
    what = f"`{name}`"
    found = match(context, what, [option.name for option in _OPTIONS], args)
    attrs = None if found is None else options(context, what, _OPTIONS, found, site)
    if found is None or attrs is None:
        return FAILED
    factor, pattern = attrs["factor"], attrs.get("on", "*")
    assert isinstance(factor, float)
    assert isinstance(pattern, str)
    if factor < 0:
        return context.report("DL3005", f"the factor of {what} must be at least 0", found["factor"].span, f"{factor:g}")
    place = found["on"].span if "on" in found else site.span
    keys = select(pattern, place, updates, "parameter that is updated", context.sink)
    if not keys:
        return FAILED
    leaves = [_leaf(context, params[key]) for key in keys]
    if len(keys) == len(updates) > 1 and len({leaf.type.dtype for leaf in leaves}) == 1:
        leaves = [
            apply_op(context, site.span, "pack", tuple(leaves), {})
        ]  # all there are: one vector, as training holds them
    total = _sum(context, [_norm(context, name, leaf, site) for leaf in leaves], site)
    weight = literal_tensor(context, factor, TensorType(total.type.dtype), site.span)
    return FAILED if isinstance(weight, Failed) else apply_op(context, site.span, "mul", (total, weight), {})


def _leaf(context: Context, spec: ParamSpec) -> TypedValue:
    """A parameter. The leaf is one of its own: the model may not have been read yet."""
    leaf = TypedValue(spec.type, "param", (), Attrs({"key": spec.key}), spec.span, spec.key, (None,) * spec.type.rank)
    context.body.values.append(leaf)
    return leaf


def _norm(context: Context, name: str, values: TypedValue, site: CallSite) -> TypedValue:
    element = apply_op(context, site.span, _ELEMENT[name], (values,), {})
    return apply_op(context, site.span, "sum", (element,), {})


def _sum(context: Context, terms: Sequence[TypedValue], site: CallSite) -> TypedValue:
    total = terms[0]
    for term in terms[1:]:
        total = apply_op(context, site.span, "add", (total, term), {})
    return total
