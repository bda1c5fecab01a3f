"""`expect` in tests: what stands on each side, and whether the two can be compared.

Input: the statement, and a scope with the models' values. Output: an `Expectation`. Compares nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from dslc.check.expressions import evaluate
from dslc.check.literals import array, is_literal
from dslc.check.near import near, proposed, quoted
from dslc.check.operators import literal_shape
from dslc.check.scope import Context, Scope
from dslc.check.settings import PARTS, literal_number
from dslc.check.typed import (
    Expectation,
    GoldenSide,
    Literal,
    LiteralSide,
    MetricSide,
    OnnxSide,
    Side,
    TypedTrain,
    TypedValue,
)
from dslc.check.uses import Use
from dslc.check.values import Const, Failed, describe, literal
from dslc.check.walk import walk
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.record import record
from dslc.syntax import tree
from dslc.tensor_type import Shape, count

TOLERANCE = 1e-5
_FORMS: Mapping[str, str] = {"golden": 'golden("y.json")', "onnx": "onnx(net.y)", "params": "params(net)"}


@record
class Setting:
    """What the expectations of one test can speak of."""

    context: Context
    scope: Scope
    uses: Mapping[str, Use]
    train: TypedTrain | None


def check_expectation(test: Setting, statement: tree.ExpectStmt) -> Expectation | None:
    """The expectation, or None after a report."""
    left = _side(test, statement.left)
    right = _side(test, statement.right)
    within = _within(test, statement)
    if left is None or right is None or within is None or not _comparable(test, statement, left, right):
        return None
    return Expectation(left, statement.op, right, within, statement.span)


def _within(test: Setting, statement: tree.ExpectStmt) -> float | None:
    if statement.within is None:
        return TOLERANCE if statement.op == "~=" else 0.0
    if statement.op != "~=":
        mend = Help("compare with a tolerance:", (Edit(statement.op_span, "~="),))
        footers = [mend] if statement.op == "==" else []
        message = f"`within` belongs to `~=`, not to `{statement.op}`"
        test.context.report("DL3070", message, statement.within.span, "no tolerance here", footers=footers)
        return None
    value = literal_number(statement.within)
    if value is None or value < 0:
        message = "a tolerance is a number that is not negative"
        label = "not a number written out" if value is None else "negative"
        test.context.report("DL3070", message, statement.within.span, label)
        return None
    return float(value)


# ---------------------------------------------------------------------------------------------- sides


def _side(test: Setting, expr: tree.Expr) -> Side | None:
    """One side, or None after a report."""
    if is_literal(expr):
        made = array(expr, test.context.sink)
        return None if made is None else LiteralSide(made.value)
    if isinstance(expr, tree.Call) and isinstance(expr.callee, tree.Name) and expr.callee.id in _FORMS:
        return _form(test, expr, expr.callee.id)
    for node in walk(expr):
        if isinstance(node, tree.Call) and isinstance(node.callee, tree.Name) and node.callee.id in _FORMS:
            _report_form(test, node, node.callee.id, f"`{node.callee.id}` stands alone on one side")
            return None
    first, names = _path(expr)
    if names and isinstance(first, tree.Name) and first.id in PARTS and first.id not in test.scope.names:
        return _metric(test, first, names)
    return _value(test, expr)


def _path(expr: tree.Expr) -> tuple[tree.Expr, tuple[tree.Ident, ...]]:
    """`val.critic.loss` as what comes first and the names behind it."""
    names: list[tree.Ident] = []
    while isinstance(expr, tree.Attribute):
        names.append(expr.name)
        expr = expr.value
    return expr, tuple(reversed(names))


def _value(test: Setting, expr: tree.Expr) -> Side | None:
    value = evaluate(test.context, test.scope, expr)
    if isinstance(value, Failed):
        return None
    if isinstance(value, TypedValue):
        return value
    known = literal(value)
    if known is not None:
        return LiteralSide(known)
    message = "a side of an expectation is a tensor or a number"
    label = f"this is {describe(value)}"
    if isinstance(value, Const):
        message, label = "the value depends on a size that is not known in this test", f"this is {describe(value)}"
    test.context.report("DL3069", message, expr.span, label)
    return None


def _report_form(test: Setting, call: tree.Call, name: str, message: str) -> None:
    mend = Help("write", code=(_FORMS[name],))
    test.context.report("DL3069", message, call.span, "not of the right form", footers=[mend])


def _form(test: Setting, call: tree.Call, name: str) -> Side | None:
    arg = call.args[0].value if len(call.args) == 1 and call.args[0].name is None else None
    if arg is None:
        _report_form(test, call, name, f"`{name}` takes one argument")
        return None
    if name == "golden":
        return _golden(test, call, arg)
    if name == "params":
        return _params(test, arg)
    value = evaluate(test.context, test.scope, arg)
    if isinstance(value, Failed):
        return None
    if not isinstance(value, TypedValue):
        _report_form(test, call, name, f"`onnx` takes a value of a model, not {describe(value)}")
        return None
    return OnnxSide(value)


def _golden(test: Setting, call: tree.Call, arg: tree.Expr) -> GoldenSide | None:
    if not isinstance(arg, tree.String):
        _report_form(test, call, "golden", "`golden` takes a path in quotes")
        return None
    path = PurePosixPath(arg.value)
    wrong = not arg.value or path.is_absolute() or ".." in path.parts or "\\" in arg.value or ":" in arg.value
    if wrong or not path.name.endswith(".json"):
        message = "a golden is a .json file inside the program's folder"
        label = "outside the folder" if wrong else "does not end in .json"
        mend = Help("give a path relative to this file:", code=('golden("golden/y.json")',))
        test.context.report("DL3071", message, arg.span, label, footers=[mend])
        return None
    return GoldenSide(arg.value, call.span)


def _params(test: Setting, arg: tree.Expr) -> LiteralSide | None:
    if not isinstance(arg, tree.Name) or arg.id not in test.uses:
        message = "`params` takes the name of a `use`"
        footers = [Note(f"models in this test: {quoted(test.uses, 'and')}" if test.uses else "the test uses no model")]
        test.context.report("DL3069", message, arg.span, "not a model in use", footers=footers)
        return None
    specs = test.uses[arg.id].model.body.params.values()
    sizes = [count(spec.type.shape) for spec in specs if spec.trainable]
    return LiteralSide(sum(size for size in sizes if isinstance(size, int)))


def _metric(test: Setting, first: tree.Name, quantity: tuple[tree.Ident, ...]) -> MetricSide | None:
    """`val.accuracy`: a result of the run, if there is one and it has such a part and such a metric."""
    part, name = first.id, ".".join(ident.text for ident in quantity)
    place = quantity[0].span.to(quantity[-1].span)
    if test.train is None:
        mend = Help("run a train block first:", code=("train NAME",))
        message = f"`{part}.{name}` is a result of a training run, and this test trains nothing"
        test.context.report("DL3067", message, first.span.to(place), "of which run?", footers=[mend])
        return None
    data = test.train.data
    parts = [p for p in PARTS if p in data.sources or p in data.split]
    if part not in parts:
        message = f"data `{data.name}` has no part `{part}`"
        footers: list[Note | Help] = [
            Note(f"its parts are {quoted(parts, 'and')}" if len(parts) > 1 else f"its only part is {quoted(parts)}"),
            Help("take one from the training data:", code=(f"split = {{ {part}: 0.1 }}",)),
        ]
        test.context.report("DL3067", message, first.span, "no such part", footers=footers)
        return None
    metrics = list(test.train.inference.quantities)
    if name not in metrics:
        footers = proposed(near(name, metrics), place)
        footers.append(Note(f"train `{test.train.name}` reports {quoted(metrics, 'and')}"))
        message = f"train `{test.train.name}` has no metric `{name}`"
        test.context.report("DL3067", message, place, "not found", footers=footers)
        return None
    return MetricSide(part, name)


# ---------------------------------------------------------------------------------------------- both sides


def _shape(side: Side) -> Shape | None:
    """A side's shape; None where only a run can tell."""
    match side:
        case TypedValue(type=type):
            return type.shape
        case OnnxSide(value=value):
            return value.type.shape
        case LiteralSide(value=value):
            return literal_shape(value)
        case MetricSide():
            return ()
        case GoldenSide():
            return None


def _is_text(side: Side) -> bool:
    value: Literal = side.value if isinstance(side, LiteralSide) else None
    while isinstance(value, tuple) and value:
        value = value[0]
    return isinstance(value, str)


def _comparable(test: Setting, statement: tree.ExpectStmt, left: Side, right: Side) -> bool:
    if any(_is_text(side) for side in (left, right)):
        label = "a string cannot be compared"
        test.context.report("DL3063", "expectations compare numbers", statement.span, label)
        return False
    a, b = _shape(left), _shape(right)
    if a is None or b is None or a == b:
        return True
    footers: list[Note | Help] = [Note("nothing is broadcast in an expectation")]
    if () in (a, b):
        footers.append(Help("write every element, or take `mean`, `min` or `max` of the tensor first"))
    test.context.report(
        "DL3063",
        f"the sides differ in shape: {_text(a)} and {_text(b)}",
        statement.op_span,
        "cannot be compared",
        Label(statement.left.span, _text(a)),
        Label(statement.right.span, _text(b)),
        footers=footers,
    )
    return False


def _text(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]" if shape else "a single number"
