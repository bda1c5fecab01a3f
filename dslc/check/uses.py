"""`use net = MLP(...)` in train and test blocks: the model it makes, and what feeds its inputs.

Input: the statement and the file. Output: a `Use`, and an instance of the model inside a body under construction, whose
inputs are bound when a value of it is read first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dslc.check.blocks import elaborate_alone
from dslc.check.elaborate import context as new_context
from dslc.check.elaborate import typed_model
from dslc.check.expressions import evaluate
from dslc.check.layers import inner_values, instantiate
from dslc.check.names import definition
from dslc.check.near import near, proposed, quoted
from dslc.check.scope import Context, Scope
from dslc.check.starts import check_start, is_weights, takes_init
from dslc.check.typed import Start, TypedData, TypedModel, TypedValue
from dslc.check.values import FAILED, Failed, FileScope, LayerRef, Value, describe
from dslc.diagnostics import Help, Label, Note, Sink
from dslc.ops.ir import Attrs
from dslc.record import record, replace
from dslc.source import Span
from dslc.syntax import tree
from dslc.tensor_type import Size, TensorType, symbol

Lookup = Callable[[str, tree.InputStmt, Span], Value]


@record
class Use:
    """A model in use.

    Attributes:
        model: elaborated for inference.
        bound: the arguments of `use net = MLP()(data.photo)`, or None where inputs bind by name.
        start: the weights it starts from, if not from first values of its own.
    """

    name: tree.Ident
    ref: LayerRef
    model: TypedModel
    bound: tree.Call | None
    start: Start | None = None


def check_uses(file: FileScope, body: Sequence[tree.Stmt], sink: Sink) -> dict[str, Use] | None:
    """The models of a block by the names it gives them, or None after a report."""
    found: dict[str, Use] = {}
    good = True
    for statement in body:
        if not isinstance(statement, tree.UseStmt):
            continue
        name = statement.name
        if name.text in found:
            first = Label(found[name.text].name.span, "first here")
            sink.report("DL3003", f"`use {name.text}` is given twice", name.span, "given again here", first)
            good = False
            continue
        use = _use(file, statement, sink)
        good = good and use is not None
        if use is not None:
            found[name.text] = use
    return found if good else None


def starts_of(uses: Mapping[str, Use]) -> tuple[Start, ...]:
    """What the models start from that start from a file."""
    return tuple(use.start for use in uses.values() if use.start is not None)


def _use(file: FileScope, statement: tree.UseStmt, sink: Sink) -> Use | None:
    value = statement.value
    bound = value if isinstance(value, tree.Call) and isinstance(value.callee, tree.Call) else None
    made = value if bound is None else bound.callee
    weights = next(filter(is_weights, made.args), None) if isinstance(made, tree.Call) else None
    if isinstance(made, tree.Call) and weights is not None:
        made = replace(made, args=tuple(arg for arg in made.args if arg is not weights))
    scope = Scope(file)
    if isinstance(made, tree.Call) and isinstance(made.callee, tree.Name):
        named = definition(scope, made.callee.id)
        if named is None:
            _report_unknown(file, made.callee, sink)
            return None
        if not takes_init(made.args, named[1], sink):
            return None
    ref = evaluate(new_context(sink, training=False), scope, made)
    if isinstance(ref, Failed):
        return None
    if not isinstance(ref, LayerRef) or ref.definition.kind != "model":
        _report_kind(file, statement, made, ref, sink)
        return None
    model = _alone(ref, statement.name.span, sink)
    if model is None:
        return None
    if weights is None:
        return Use(statement.name, ref, model, bound)
    start = check_start(statement.name.text, weights.value, list(model.body.params), sink)
    return None if start is None else Use(statement.name, ref, model, bound, start)


def _alone(ref: LayerRef, span: Span, sink: Sink) -> TypedModel | None:
    """The model with its own inputs, in inference mode. A mistake that was reported before is not reported again."""
    found = Sink()
    context = new_context(found, training=False)
    instance = instantiate(context, ref, "", span)
    elaborate_alone(context, instance)
    known = {(d.code, d.labels[0].span) for d in sink if d.labels}
    for diagnostic in found:
        if not diagnostic.labels or (diagnostic.code, diagnostic.labels[0].span) not in known:
            sink.add(diagnostic)
    return None if found.failed else typed_model(context, instance)


def _report_unknown(file: FileScope, callee: tree.Name, sink: Sink) -> None:
    if callee.id in file.lost:
        return
    models = file.models()
    footers = proposed(near(callee.id, models), callee.span)
    footers.append(Note(f"models of this file: {quoted(models, 'and')}" if models else "this file has no model"))
    sink.report("DL3030", f"there is no model named `{callee.id}`", callee.span, "not found", footers=footers)


def _report_kind(file: FileScope, statement: tree.UseStmt, made: tree.Expr, ref: Value, sink: Sink) -> None:
    footers: list[Note | Help] = []
    models = file.models()
    if models:
        footers.append(Note(f"models of this file: {quoted(models, 'and')}"))
    label = f"this is {describe(ref)}"
    if isinstance(ref, LayerRef):
        label = f"`{ref.definition.name.text}` is a {ref.definition.kind}"
    sink.report("DL3030", f"`use {statement.name.text}` takes a model", made.span, label, footers=footers)


def bind(context: Context, scope: Scope, use: Use, path: str, lookup: Lookup) -> None:
    """Put the model into a scope under its name, with `path` in front of its parameters' keys."""
    instance = instantiate(context, use.ref, path, use.name.span)
    instance.site = f"{scope.site}/{path}" if scope.site else path
    scope.define(use.name.text, instance, use.name.span, "layer")
    if use.bound is not None:
        callee = tree.Name(use.name.text, use.bound.callee.span)
        given = evaluate(context, scope, tree.Call(callee, use.bound.args, use.bound.span))
        instance.values = inner_values(context, path)
        if isinstance(given, Failed):
            lookup = _failed
    instance.lookup = lookup


def _failed(*_: object) -> Failed:
    """What binds the inputs of a model whose arguments were reported."""
    return FAILED


def add_input(context: Context, name: str, type: TensorType, span: Span) -> TypedValue:
    """The input `name` of the body under construction, made when it is asked for first."""
    if name not in context.body.inputs:
        value = TypedValue(type, "input", (), Attrs({"name": name}), span, name, (None,) * type.rank)
        context.body.inputs[name] = value
        context.body.values.append(value)
    return context.body.inputs[name]


# ---------------------------------------------------------------------------------------------- joins with fields


def batch_symbol(file: FileScope, decl: tree.TrainDecl, uses: Mapping[str, Use]) -> Size:
    """The run-time size of a batch: axis 0 of the first sample that has one, else of the first input of a model."""
    bodies = [decl.body, *(s.body for s in decl.body if isinstance(s, tree.StepStmt))]
    for statement in (s for body in bodies for s in body if isinstance(s, tree.SampleStmt)):
        first = statement.type.dims[0] if statement.type.dims else None
        if isinstance(first, tree.Name) and first.id in file.dims:
            return symbol(first.id)
    for use in uses.values():
        for value in use.model.body.inputs.values():
            if value.type.shape and isinstance(value.type.shape[0], Size):
                return symbol(min(value.type.shape[0].symbols()))
    return symbol("B")


def field_input(context: Context, data: TypedData, name: str, batch: Size) -> TypedValue:
    """A field, batched, as an input of the body."""
    field = data.fields[name]
    return add_input(context, name, TensorType(field.type.dtype, (batch, *field.type.shape)), field.span)


def field_lookup(context: Context, data: TypedData, use: Use, batch: Size, samples: Mapping[str, TypedValue]) -> Lookup:
    """What binds a model's inputs to the samples and fields of the same name."""

    def lookup(name: str, statement: tree.InputStmt, _: Span) -> Value:
        if name in samples:
            return samples[name]
        if not _joins(context, data, use, statement):
            return FAILED
        return field_input(context, data, name, batch)

    return lookup


def _joins(context: Context, data: TypedData, use: Use, statement: tree.InputStmt) -> bool:
    """Whether a model's input has a field of its name that fits it."""
    name = statement.name.text
    wanted = use.model.body.inputs[name].type
    field = data.fields.get(name)
    here = Label(use.name.span, f"`{use.name.text}` takes its inputs from the fields of `{data.name}`")
    if field is None:
        footers = proposed(near(name, data.fields)) or _handed_over(data, use, wanted)
        footers.append(Note(f"fields of `{data.name}`: {quoted(data.fields, 'and')}"))
        message = f"input `{name}` of `{use.model.name}` has no field in data `{data.name}`"
        context.report("DL3031", message, statement.name.span, "no field has this name", here, footers=footers)
        return False
    if not wanted.shape or isinstance(wanted.shape[0], int):
        first = "a scalar" if not wanted.shape else f"a fixed {wanted.shape[0]}"
        message = f"input `{name}` of `{use.model.name}` has no batch axis"
        label = f"axis 0 is {first}" if wanted.shape else "a scalar"
        mend = Help("put a run-time size first:", code=("dim B", f"input {name}: {_batched(wanted)}"))
        context.report("DL3034", message, statement.type.span, label, here, footers=[mend])
        return False
    declared = Label(field.span, f"the field is {field.type}")
    if wanted.dtype is not field.type.dtype:
        message = (
            f"input `{name}` holds {wanted.dtype.value} values, but the field `{name}` holds {field.type.dtype.value}"
        )
        mended = TensorType(wanted.dtype, field.type.shape)
        mend = Help("declare the field with the input's element type:", code=(f"field {name}: {mended} = ...",))
        context.report("DL3032", message, statement.type.span, f"the input is {wanted}", declared, footers=[mend])
        return False
    if not _same_shape(field.type, wanted):
        message = f"field `{name}` does not fit the input `{name}`: a sample is {field.type}, the input takes {_sample(wanted)}"
        notes = [Note("the input's axis 0 is the batch; the others must be those of the field")]
        context.report("DL3033", message, statement.type.span, f"the input is {wanted}", declared, footers=notes)
        return False
    return True


def _handed_over(data: TypedData, use: Use, wanted: TensorType) -> list[Note | Help]:
    """How a model with one input gets a field of another name, where a single one fits it."""
    samples = TensorType(wanted.dtype, wanted.shape[1:])
    fitting = [name for name, field in data.fields.items() if field.type == samples]
    if len(fitting) != 1 or len(use.model.body.inputs) != 1:
        return []
    text = f"call the field `{fitting[0]}` like the input, or hand it over:"
    return [Help(text, code=(f"use {use.name.text} = {use.model.name}(...)(data.{fitting[0]})",))]


def _batched(type: TensorType) -> TensorType:
    return TensorType(type.dtype, (symbol("B"), *type.shape))


def _sample(type: TensorType) -> TensorType:
    return TensorType(type.dtype, type.shape[1:])


def _same_shape(field: TensorType, wanted: TensorType) -> bool:
    """Whether sizes are equal where both are known; run-time sizes bind to whatever comes."""
    if field.rank + 1 != wanted.rank:
        return False
    return all(isinstance(want, Size) or have == want for have, want in zip(field.shape, wanted.shape[1:], strict=True))
