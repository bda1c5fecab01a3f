"""A cell run along time: the body of one step becomes a `TypedCell`, a `scan` runs it, `item`s read its results.

Input: the scope of a cell's call, and its sequences. Output: the outputs with the time axis, and the final states.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.bodies import bind_hypers, block_dims, layer_info, outputs
from dslc.check.cells import after_step
from dslc.check.lengths import cleared, held, real_steps
from dslc.check.operators import apply_op
from dslc.check.places import Place, Steps
from dslc.check.scope import Argument, Context, Scope, origin_notes
from dslc.check.statements import run
from dslc.check.typed import Body, Origin, TypedCell, TypedValue
from dslc.check.types import bind_inputs, never_bound
from dslc.check.values import FAILED, Failed, Instance, LayerRef, ListValue, Scan, Value
from dslc.diagnostics import Edit, Help, Label, Note
from dslc.ops.ir import Attrs
from dslc.record import record
from dslc.syntax import tree
from dslc.tensor_type import Dim, DType, TensorType

#: The name of the input of a step that says which samples have it; no input of a cell can be called so.
_REAL = "real steps"


@record
class _Time:
    """The time axis of a scan: how many steps, and where that number came from."""

    length: Dim
    origin: Origin | None


@record
class _Step:
    """One step of a cell, elaborated."""

    cell: TypedCell
    first: tuple[TypedValue, ...]


def not_scanned(e: Context, ref: LayerRef, instance: Instance) -> Failed:
    """Report a cell that is applied as if it were a layer."""
    name = ref.definition.name.text
    return e.report(
        "DL1050",
        f"`{name}` is a cell: it does one time step, and `scan` runs it along time",
        instance.ref.span,
        "applied without `scan`",
        footers=[Help("run it along axis 1:", (Edit(ref.span, f"scan({ref.span.text})"),))],
    )


def run_cell(e: Context, scope: Scope, inputs: Sequence[tree.InputStmt], args: Sequence[Argument]) -> Value:
    """The results of a scan over sequences."""
    instance = scope.instance
    assert instance is not None
    scan = instance.ref.scan
    assert scan is not None
    if any(not isinstance(arg.value, TypedValue) for arg in args):
        bind_inputs(e, scope, inputs, args)
        return FAILED
    if (scan.init or scan.lengths) and scan.body is not e.body:
        what = "`init` gives" if scan.init else "`lengths` gives"
        text = f"{what} this cell a tensor of another body: a step sees only its own inputs"
        return e.report("DL1056", text, instance.span, "known outside of the step only")
    fronts = _time_first(e, scope, scan, inputs, args)
    if fronts is None:
        return FAILED
    time = _time(e, inputs, fronts)
    if time is None:
        return FAILED
    real = None
    if scan.lengths is not None:
        real = real_steps(e, instance, *scan.lengths, fronts[0])
        if real is None:
            return FAILED
    place, before = len(e.body.layers), len(e.keys)
    step = _elaborate(e, scope, scan, inputs, fronts, real)
    if step is None:
        return FAILED
    sequences = [front.value for front in fronts if isinstance(front.value, TypedValue)]
    value = _results(e, scope, scan, step, sequences, time, real)
    if scope.site == instance.site:
        e.body.layers.insert(place, layer_info(e, instance, args, value, before))
    return value


def _time_first(
    e: Context, scope: Scope, scan: Scan, inputs: Sequence[tree.InputStmt], args: Sequence[Argument]
) -> list[Argument] | None:
    """The sequences with time on axis 0; None after a report."""
    instance = scope.instance
    assert instance is not None
    name = instance.ref.definition.name.text
    if not args:
        text = f"cell `{name}` has no input, so nothing says how many steps it does"
        mend = Help("give it one:", code=("input x: f32[B, n]",))
        e.report_call("DL1063", text, instance.span, "runs along what?", footers=[mend])
        return None
    found: list[Argument] = []
    for stmt, arg in zip(inputs, args, strict=True):
        value = arg.value
        assert isinstance(value, TypedValue)
        axis = scan.axis + value.type.rank if scan.axis < 0 else scan.axis
        if not 0 <= axis < value.type.rank:
            text = f"`scan` runs along axis {scan.axis}, and input `{stmt.name.text}` of `{name}` is given {value.type}"
            e.report_call(
                "DL2083",
                text,
                arg.span,
                f"has no axis {scan.axis}",
                footers=[Note("a cell's input is one step; the sequence has the time axis besides")],
            )
            return None
        found.append(Argument(arg.name, _moved(e, value, axis, 0), arg.span, arg.piped))
    return found


def _moved(e: Context, value: TypedValue, source: int, target: int) -> TypedValue:
    """A tensor with one axis moved."""
    if source == target:
        return value
    axes = [axis for axis in range(value.type.rank) if axis != source]
    axes.insert(target, source)
    return apply_op(e, value.span, "transpose", (value,), {"axes": tuple(axes)})


def _time(e: Context, inputs: Sequence[tree.InputStmt], fronts: Sequence[Argument]) -> _Time | None:
    """The number of steps, which all sequences share; None after a report."""
    pairs = [(front, front.value) for front in fronts if isinstance(front.value, TypedValue)]
    first, value = pairs[0]
    time = _Time(value.type.shape[0], value.origins[0])
    for stmt, (front, other) in zip(inputs[1:], pairs[1:], strict=True):
        length = other.type.shape[0]
        if length != time.length:
            text = f"the sequences have {time.length} and {length} steps"
            notes = origin_notes(e, [(time.length, time.origin), (length, other.origins[0])], front.span)
            label = f"`{stmt.name.text}` has {length} steps"
            more = Label(first.span, f"`{inputs[0].name.text}` has {time.length} steps")
            e.report_call("DL2082", text, front.span, label, more, footers=notes)
            return None
    return time


def _elaborate(
    e: Context,
    scope: Scope,
    scan: Scan,
    inputs: Sequence[tree.InputStmt],
    fronts: Sequence[Argument],
    real: TypedValue | None,
) -> _Step | None:
    """The body of one step, elaborated in a place of its own; None after a report."""
    outer = e.body
    body = Body(outer.training, params=outer.params, layers=outer.layers, updates=outer.updates)
    outside = e.switch(Place(body))
    scope.steps = Steps(outside, scan.init)
    try:
        fine = _run(e, scope, inputs, fronts)
        values = outputs(e, scope) if fine else FAILED
        after = after_step(e, scope) if fine else None
        if real is not None and after is not None:
            after = _held(e, scope, real, after)
        leaves = [*e.leaves]
    finally:
        e.switch(outside)
    for key in leaves:
        e.leaf(key)
    if isinstance(values, Failed) or after is None:
        return None
    body.params = {key: outer.params[key] for key in leaves}
    results = values.items if isinstance(values, ListValue) else (values,)
    made = tuple(value for value in results if isinstance(value, TypedValue))
    names = (*(stmt.name.text for stmt in inputs), *([_REAL] if real is not None else []))
    cell = TypedCell(body, tuple(scope.steps.states), names, tuple(after), made, scan.reverse)
    return _Step(cell, tuple(first for _, first in scope.steps.states.values()))


def _run(e: Context, scope: Scope, inputs: Sequence[tree.InputStmt], fronts: Sequence[Argument]) -> bool:
    assert scope.instance is not None
    assert scope.definition is not None
    if not bind_hypers(e, scope, scope.instance.ref):
        return False
    scope.unbound = {ident.text for ident in block_dims(e, scope)}
    steps = [_element(e, stmt, front) for stmt, front in zip(inputs, fronts, strict=True)]
    if not bind_inputs(e, scope, inputs, steps):
        return False
    for name in sorted(scope.unbound):
        never_bound(e, scope, name)
    e.declarations |= {stmt.name.text: stmt for stmt in inputs}
    run(e, scope, scope.definition.body)
    return not scope.stopped


def _element(e: Context, stmt: tree.InputStmt, front: Argument) -> Argument:
    """One element of a sequence as an input of the step."""
    assert isinstance(front.value, TypedValue)
    name, sequence = stmt.name.text, front.value.type
    step = TensorType(sequence.dtype, sequence.shape[1:])
    value = TypedValue(step, "input", (), Attrs({"name": name}), stmt.name.span, name, front.value.origins[1:])
    e.body.values.append(value)
    e.body.inputs[name] = value
    return Argument(front.name, value, front.span, front.piped)


def _held(e: Context, scope: Scope, real: TypedValue, after: Sequence[TypedValue]) -> Sequence[TypedValue] | None:
    """The states after a step that only some samples have; None after a report."""
    assert scope.steps is not None
    step = TensorType(DType.BOOL, real.type.shape[1:])
    mask = TypedValue(step, "input", (), Attrs({"name": _REAL}), real.span, "", real.origins[1:])
    e.body.values.append(mask)
    e.body.inputs[_REAL] = mask
    states = zip(scope.steps.states.items(), after, strict=True)
    found = [held(e, mask, name, before, value) for (name, (before, _)), value in states]
    return None if None in found else [value for value in found if value is not None]


def _results(
    e: Context,
    scope: Scope,
    scan: Scan,
    step: _Step,
    sequences: Sequence[TypedValue],
    time: _Time,
    real: TypedValue | None,
) -> Value:
    """What is read from the scan: outputs along time, then, where asked for, the states after the last step."""
    instance, definition = scope.instance, scope.definition
    assert instance is not None
    assert definition is not None
    cell = step.cell
    walked = sequences if real is None else (*sequences, real)
    run = TypedValue(TensorType(DType.BOOL), "scan", (*step.first, *walked), Attrs(), instance.span, "", (), cell)
    e.body.values.append(run)
    states = [_item(e, run, index, state.type, state.origins) for index, state in enumerate(cell.next)]
    found: list[TypedValue] = []
    for index, output in enumerate(cell.outputs, start=len(states)):
        stacked = TensorType(output.type.dtype, (time.length, *output.type.shape))
        axis = scan.axis + stacked.rank if scan.axis < 0 else scan.axis
        if not 0 <= axis < stacked.rank:
            text = f"time is put back on axis {scan.axis}, and one step of this output is {output.type}"
            note = Note("outputs get the time axis where the inputs had it")
            return e.report("DL2083", text, output.span, f"has no place for axis {scan.axis}", footers=[note])
        item = _item(e, run, index, stacked, (time.origin, *output.origins))
        if real is not None:
            shown = cleared(e, real, list(scope.declared)[index - len(states)], item)
            if shown is None:
                return FAILED
            item = shown
        found.append(_moved(e, item, 0, axis))
    named = [*zip(cell.states, states, strict=True), *zip(scope.declared, found, strict=True)]
    for name, value in named:
        e.publish(scope.key(name), value)
    results = (*found, *states) if scan.return_state else tuple(found)
    return results[0] if len(results) == 1 else ListValue(results, instance.span)


def _item(e: Context, run: TypedValue, index: int, type: TensorType, origins: tuple[Origin | None, ...]) -> TypedValue:
    return e.emit("item", (run,), type, run.span, origins, index=index, dtype=type.dtype, sizes=type.shape)
