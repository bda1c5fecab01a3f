"""What a step of a train block minimises and reports, in one mode: its expressions -> `Objective` over batched fields.

Each step is elaborated in a body of its own, in both modes, so that its random tensors are its own. Builds no gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.assigning import statement_value
from dslc.check.calls import is_function
from dslc.check.contributions import cuts, is_joined, over_whole, unfit
from dslc.check.elaborate import context as new_context
from dslc.check.foreign import function_meant
from dslc.check.parameters import new_name
from dslc.check.penalties import penalties
from dslc.check.reach import keys_read
from dslc.check.samples import sample
from dslc.check.scope import Context, Scope
from dslc.check.settings import Setting
from dslc.check.steps import StepBlock
from dslc.check.typed import Objective, ParamSpec, TypedData, TypedValue
from dslc.check.uses import Use, bind, field_input, field_lookup
from dslc.check.values import Const, Failed, FileScope, FunctionRef, Namespace, Value, describe
from dslc.diagnostics import Edit, Help, Label, Note, Sink
from dslc.ops import OPS
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size

#: What a training reports beside metrics, by the names it reports them under.
_REPORTED = {
    "loss": "the loss itself",
    "epoch": "the number of the epoch",
    "step": "the number of steps",
    "lr": "the learning rate",
    "seconds": "the time of an epoch",
}


@record
class Parts:
    """The parts of a train block that every step is elaborated from.

    Attributes:
        statements: the `let`s and `sample`s of the block itself.
        data_span: the setting that names the data.
        params: every parameter of every model by key.
        batch: the run-time size of a batch.
    """

    file: FileScope
    statements: Sequence[tree.Stmt]
    uses: Mapping[str, Use]
    data: TypedData
    data_span: Span
    params: Mapping[str, ParamSpec]
    batch: Size


def objective(parts: Parts, step: StepBlock, training: bool, sink: Sink) -> Objective | None:
    """Loss and metrics of a step as a computation over batched fields, or None after a report."""
    context = new_context(sink, training)
    scope = _scope(parts, step, context)
    loss = _scalar(context, scope, "loss", step.settings["loss"].value, "DL3035")
    metrics = _metrics(context, scope, step.settings.get("metrics"))
    if loss is None or metrics is None:
        return None
    if keys_read(loss).isdisjoint(step.updates):
        _report_unreached(context, step)
        return None
    context.body.params = dict(parts.params)
    return Objective(context.body, loss, metrics)


def _scope(parts: Parts, step: StepBlock, context: Context) -> Scope:
    """The names a step's expressions can read: `data`, models, samples, `let`s, and the penalties."""
    scope = Scope(parts.file, site=step.name)

    def read(name: str, _: Span) -> TypedValue:
        return field_input(context, parts.data, name, parts.batch)

    namespace = Namespace(f"data block `{parts.data.name}`", tuple(parts.data.fields), read)
    scope.define("data", namespace, parts.data_span)
    statements = [*parts.statements, *step.statements]
    own = {statement.name.text for statement in statements if isinstance(statement, tree.LetStmt | tree.SampleStmt)}
    for function in penalties(context, parts.params, step.updates):
        if function.name not in own | parts.uses.keys():
            scope.define(function.name, function, parts.data_span)
    samples: dict[str, TypedValue] = {}
    for statement in statements:
        if isinstance(statement, tree.SampleStmt) and new_name(context, scope, statement.name):
            value = sample(context, scope, statement, parts.batch)
            scope.define(statement.name.text, value, statement.name.span)
            if isinstance(value, TypedValue):
                samples[statement.name.text] = value
    for each in _in_order(parts, step):
        if not new_name(context, scope, each.name):
            continue
        if isinstance(each, Use):
            path = each.name.text if len(parts.uses) > 1 else ""
            bind(context, scope, each, path, field_lookup(context, parts.data, each, parts.batch, samples))
        else:
            value = statement_value(context, scope, each.name.text, each.value, each.span)
            scope.define(each.name.text, value, each.name.span, "let")
    return scope


def _in_order(parts: Parts, step: StepBlock) -> list[Use | tree.LetStmt]:
    """Models and `let`s as they are defined: a model with arguments where it stands, one that binds by name before all `let`s."""
    by_name = [use for use in parts.uses.values() if use.bound is None]
    with_arguments = [use for use in parts.uses.values() if use.bound is not None]
    written = sorted([*with_arguments, *_lets(parts.statements)], key=lambda each: each.name.span.start)
    return [*by_name, *written, *_lets(step.statements)]


def _lets(statements: Sequence[tree.Stmt]) -> list[tree.LetStmt]:
    return [statement for statement in statements if isinstance(statement, tree.LetStmt)]


def _scalar(context: Context, scope: Scope, name: str, expr: tree.Expr, code: str) -> TypedValue | None:
    """The value of an expression that must be one floating number."""
    value = statement_value(context, scope, name, expr, expr.span)
    if isinstance(value, Failed):
        return None
    what = "the loss" if code == "DL3035" else f"metric `{name}`"
    if not isinstance(value, TypedValue):
        text, label = f"{what} must be computed from a model", f"this is {describe(value)}"
        context.report(code, text, expr.span, label, footers=_applied(value))
        return None
    footers: list[Note | Help] = []
    if value.type.shape:
        message = f"{what} must be a single number, not {value.type}"
        if value.type.dtype.is_float:
            footers.append(Help("take the mean over all elements:", (Edit(expr.span, f"mean({expr.span.text})"),)))
    elif not value.type.dtype.is_float:
        message = f"{what} must be a floating-point number, not {value.type}"
        footers.append(Help("convert it:", (Edit(expr.span, f"cast({expr.span.text}, f32)"),)))
    else:
        return value
    context.report(code, message, expr.span, f"this is {value.type}", footers=footers)
    return None


def _applied(value: Value) -> list[Help]:
    """How a loss or metric that is only named, ``loss = cross_entropy`` or ``loss = "mse"``, is applied."""
    written = value.value if isinstance(value, Const) and isinstance(value.value, str) else ""
    name = (
        value.name if isinstance(value, FunctionRef) else written if is_function(written) else function_meant(written)
    )
    operands = OPS[name].operands if name in OPS else ()
    if len(operands) < 2:
        return []
    call = f"{name}(net.{operands[0]}, data.{operands[1]})"
    return [Help("apply it to an output of a model and a field of the data, for example:", code=(call,))]


def _metrics(context: Context, scope: Scope, setting: Setting | None) -> dict[str, TypedValue] | None:
    """The metrics by name, or None after a report."""
    if setting is None:
        return {}
    if not isinstance(setting.value, tree.Record):
        mend = Help("name each of them:", code=("metrics = { accuracy: accuracy(net.logits, data.label) }",))
        context.report("DL3004", "`metrics` takes a record", setting.value.span, "not a record", footers=[mend])
        return None
    found: dict[str, TypedValue] = {}
    good = True
    for entry in setting.value.entries:
        key = entry.key
        if key.text in _REPORTED or key.text in found:
            own = _REPORTED.get(key.text, "")
            message = f"a metric cannot be called `{key.text}`" if own else f"metric `{key.text}` is given twice"
            context.report("DL3003", message, key.span, f"{own} is reported so" if own else "given again here")
            good = False
            continue
        value = _scalar(context, scope, key.text, entry.value, "DL3036")
        good = good and value is not None
        if value is not None:
            found[key.text] = value
            good = _has_figure(context, key.text, value, entry.value.span) and good
    return found if good else None


def _has_figure(context: Context, name: str, value: TypedValue, span: Span) -> bool:
    """Whether a metric can be worked out from what batches contribute; report it if not."""
    whole = over_whole(context.body.values)
    tensor = unfit(value, whole)
    if tensor is None:
        return True
    joined = next(cut for cut in cuts(value, whole) if is_joined(cut))
    message = f"metric `{name}` needs `{joined.op}` of all batches and a tensor of each batch at once"
    context.report(
        "DL3100",
        message,
        span,
        f"`{joined.op}` is known when all batches have run",
        Label(tensor.span, f"this is {tensor.type}, a tensor of one batch"),
        footers=[Help(f"report `{joined.op}` as a metric of its own, or take the mean of the tensor first")],
    )
    return False


def _report_unreached(context: Context, step: StepBlock) -> None:
    """The loss reads no parameter that the step updates."""
    place = step.settings["loss"].value.span
    if not step.learners:
        context.report("DL3042", "the loss does not depend on a model", place, "reads no parameter of a model")
        return
    listed = ", ".join(f"`{ident.text}`" for ident in step.learners)
    message = f"the loss of step `{step.name}` does not depend on what the step updates"
    context.report("DL3042", message, place, f"reads no parameter of {listed}")
