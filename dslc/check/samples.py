"""`sample z: f32[B, 64] ~ normal(0, 1)`: a random tensor that is drawn anew in every step."""

from __future__ import annotations

from dslc.check.applying import arguments
from dslc.check.arguments import failed, match, options
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import apply_op, literal_tensor
from dslc.check.scope import CallSite, Context, Scope
from dslc.check.types import written_type
from dslc.check.values import FAILED, Failed, Value
from dslc.diagnostics import Help, Note
from dslc.ops import OPS
from dslc.ops.opdef import OpError
from dslc.ops.random import RANDOM
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size, TensorType, symbols

_DISTRIBUTIONS = {opdef.name.removeprefix("random_"): opdef.name for opdef in RANDOM}


def sample(e: Context, scope: Scope, statement: tree.SampleStmt, batch: Size) -> Value:
    """The value of a `sample`.

    Args:
        batch: the run-time size of a batch, the only one a sample may have.
    """
    name, expr = statement.name.text, statement.value
    found = written_type(e, scope, statement.type, f"sample `{name}`")
    if found is None or not _has_known_sizes(e, statement, found.type, batch):
        return FAILED
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    if not isinstance(callee, tree.Name) or callee.id not in _DISTRIBUTIONS:
        return _unknown(e, callee)
    args = arguments(e, scope, expr.args) if isinstance(expr, tree.Call) else []
    if failed(args):
        return FAILED
    opdef = OPS[_DISTRIBUTIONS[callee.id]]
    what = f"`{callee.id}`"
    given = match(e, what, [option.name for option in opdef.options], args)
    attrs = None if given is None else options(e, what, opdef.options, given, CallSite(callee.span, expr.span))
    if attrs is None:
        return FAILED
    zero = literal_tensor(e, 0.0, TensorType(found.type.dtype), statement.type.span)
    if isinstance(zero, Failed):
        return FAILED
    attrs["stream"] = "/".join(filter(None, (scope.site, name, "sample")))
    try:
        like = apply_op(e, statement.span, "expand", (zero,), {"sizes": found.type.shape})
        return apply_op(e, statement.span, opdef.name, (like,), attrs, name=name)
    except OpError as error:
        return e.report("DL3056", str(error).replace(f"`{opdef.name}`", what), expr.span, str(found.type))


def _has_known_sizes(e: Context, statement: tree.SampleStmt, type: TensorType, batch: Size) -> bool:
    """Whether every run-time size is that of the batch; nothing else says how large a random tensor is."""
    (known,) = batch.symbols()
    loose = sorted({name for size in type.shape for name in symbols(size)} - {known})
    if loose:
        message = f"nothing says how large `{loose[0]}` is in a step"
        notes = [Note(f"a sample has sizes that are numbers, and the size of the batch, which is `{known}` here")]
        e.report("DL3056", message, statement.type.span, f"holds the run-time size `{loose[0]}`", footers=notes)
    return not loose


def _unknown(e: Context, callee: tree.Expr) -> Value:
    footers: list[Note | Help] = []
    place: Span = callee.span
    if isinstance(callee, tree.Name):
        footers += proposed(near(callee.id, _DISTRIBUTIONS), place)
    footers.append(Note(f"distributions are {quoted(_DISTRIBUTIONS, 'and')}: `sample z: f32[B, 16] ~ normal(0, 1)`"))
    name = f"there is no distribution `{callee.id}`" if isinstance(callee, tree.Name) else "this is no distribution"
    return e.report("DL3056", name, place, "not a distribution", footers=footers)
