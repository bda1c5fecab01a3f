"""First values of parameters: ``= zeros()``, ``= kaiming_uniform(a = sqrt(5))``, ``= [0, 1]`` -> `Initializer`."""

from __future__ import annotations

from dslc.check.applying import arguments
from dslc.check.arguments import match, options
from dslc.check.expressions import evaluate
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import flatten, literal_shape
from dslc.check.scope import CallSite, Context, Scope
from dslc.check.typed import Initializer, Literal
from dslc.check.values import Failed, describe, literal
from dslc.diagnostics import Edit, Help, Note
from dslc.ops.initializers import INITIALIZERS, InitializerDef
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Dim, DType, TensorType, count

_RANKS = {"orthogonal": (2, 99), "identity": (2, 2)}


def initializer(
    e: Context, scope: Scope, stmt: tree.ParamStmt | tree.BufferStmt, type: TensorType
) -> Initializer | None:
    """The first values of a parameter; None after a report."""
    expr = stmt.init
    if expr is None:
        example = "zeros()" if type.rank < 2 else "glorot_uniform()"
        end = Span(stmt.span.source, stmt.type.span.end, stmt.type.span.end)
        return _none(
            e,
            "DL2017",
            f"{'parameter' if isinstance(stmt, tree.ParamStmt) else 'buffer'} `{stmt.name.text}` has no initial value",
            stmt.span,
            "how does it start?",
            Help("say how it starts:", (Edit(end, f" = {example}"),)),
        )
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    if isinstance(callee, tree.Name) and callee.id not in scope.names:
        if callee.id in INITIALIZERS:
            return _named(e, scope, expr, callee, INITIALIZERS[callee.id], type)
        if isinstance(expr, tree.Call):
            return _unknown(e, callee)
    return _literal(e, scope, expr, type)


def _none(e: Context, code: str, message: str, span: Span, label: str, *footers: Help | Note) -> None:
    e.report(code, message, span, label, footers=footers)


def _unknown(e: Context, callee: tree.Name) -> None:
    close = near(callee.id, INITIALIZERS)
    footers: list[Note | Help] = []
    if close:
        footers += proposed(close, callee.span)
    else:
        footers.append(Note(f"initialisers are {quoted(INITIALIZERS, 'and')}"))
    e.report("DL1022", f"there is no initialiser named `{callee.id}`", callee.span, "not found", footers=footers)


def _named(
    e: Context,
    scope: Scope,
    expr: tree.Expr,
    callee: tree.Name,
    rule: InitializerDef,
    type: TensorType,
) -> Initializer | None:
    if not isinstance(expr, tree.Call):
        mend = Help("call it:", (Edit(expr.span, f"{rule.name}()"),))
        return _none(e, "DL1015", f"`{rule.name}` is an initialiser: call it", expr.span, "needs `( )`", mend)
    what = f"`{rule.name}`"
    args = arguments(e, scope, expr.args)
    site = CallSite(callee.span, expr.span)
    found = match(e, what, [option.name for option in rule.options], args)
    chosen = None if found is None else options(e, what, rule.options, found, site)
    if chosen is None:
        return None
    low, high = _RANKS.get(rule.name, (0, 99))
    if not low <= type.rank <= high:
        return _none(e, "DL2002", f"{what} makes a matrix, and this parameter is {type}", expr.span, "not a matrix")
    if not type.dtype.is_float:
        return _none(e, "DL2002", f"{what} makes floats, and this parameter is {type}", expr.span, "not a float")
    given: dict[str, Literal] = {name: v for name, v in chosen.items() if isinstance(v, int | float | str | None)}
    if not rule.own_fan_in and type.rank < 2 and "fan_in" not in given:
        fan_in = weight_fan_in(e, scope)
        if fan_in is None:
            mend = Help("give it: `uniform_fan_in(fan_in = ...)`, or declare the weight first")
            return _none(
                e, "DL2017", f"{what} needs the fan-in of a weight above it", expr.span, "no weight above", mend
            )
        given["fan_in"] = fan_in
    return Initializer(rule.name, given)


def weight_fan_in(e: Context, scope: Scope) -> int | None:
    """The fan-in of the weight declared last in the same layer: ``[in, out]``, or ``[out, in, k...]`` with a layout."""
    for spec in reversed(e.body.params.values()):
        head, _, _ = spec.key.rpartition(".")
        if head != scope.path or spec.type.rank < 2:
            continue
        shape = spec.type.shape
        out_in = spec.init.options.get("layout") == "out_in"
        fan: Dim = count(shape[1:]) if out_in else count(shape[:-1])
        return fan if isinstance(fan, int) else None
    return None


def _literal(e: Context, scope: Scope, expr: tree.Expr, type: TensorType) -> Initializer | None:
    value = evaluate(e, scope, expr)
    if isinstance(value, Failed):
        return None
    numbers = literal(value)
    if numbers is None or isinstance(numbers, str):
        note = Note(f"or an initialiser: {quoted(INITIALIZERS)}")
        text = f"a parameter starts as a number, a list of numbers or an initialiser, not {describe(value)}"
        return _none(e, "DL2017", text, expr.span, "not an initial value", note)
    shape = literal_shape(numbers)
    if shape is None:
        return _none(e, "DL2016", "the rows of this list have different lengths", expr.span, "not a rectangular array")
    if shape not in ((), type.shape):
        sizes = ", ".join(map(str, shape))
        return _none(
            e, "DL2016", f"initial values of shape [{sizes}] do not fit {type}", expr.span, f"has shape [{sizes}]"
        )
    wrong = [v for v in flatten(numbers) if isinstance(v, bool) != (type.dtype is DType.BOOL)]
    wrong += [v for v in flatten(numbers) if isinstance(v, float) and type.dtype.is_integer]
    if wrong:
        return _none(
            e,
            "DL2003",
            f"a value of {type} cannot be {describe_literal(wrong[0])}",
            expr.span,
            f"not {type.dtype.value}",
        )
    return Initializer("literal", {}, numbers)


def describe_literal(value: Literal) -> str:
    """A literal scalar as written."""
    return str(value).lower() if isinstance(value, bool) else str(value)
