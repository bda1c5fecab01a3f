"""Padded sequences: ``scan(Cell(64), lengths = n)`` runs each sample for as many steps as it has.

Beyond a sample's length its states stay as they are and its outputs are 0. So the last states are those of its last step, and a
scan in reverse, which comes to the padding first, begins at that step with the initial states. A length is at least 1 step and at
most all of them. Input: lengths, and values of a scan. Output: values that respect the lengths, or reports.
"""

from __future__ import annotations

from dslc.check.operators import apply_op, as_tensor
from dslc.check.scope import Argument, Context, origin_notes
from dslc.check.typed import TypedValue
from dslc.check.values import Const, Failed, Instance, Value, describe
from dslc.diagnostics import Help, Note
from dslc.source import Span
from dslc.tensor_type import DType, TensorType


def real_steps(e: Context, instance: Instance, lengths: Value, place: Span, front: Argument) -> TypedValue | None:
    """Which steps belong to the samples of a batch, bool[steps, batch]; None after a report.

    Args:
        place: where the lengths were written.
        front: a sequence with time on axis 0; samples are on the axis behind it.
    """
    sequence = front.value
    assert isinstance(sequence, TypedValue)
    if sequence.type.rank < 2:
        text = f"`lengths` needs a batch of sequences, and this is one of {sequence.type}"
        e.report_call("DL2153", text, front.span, "has no batch axis")
        return None
    steps, batch = sequence.type.shape[:2]
    wanted = TensorType(DType.I64, (batch,))
    if not isinstance(lengths, TypedValue) or not lengths.type.dtype.is_integer or lengths.type.shape != (batch,):
        have = describe(lengths)
        notes = list(origin_notes(e, [(batch, sequence.origins[1])], place))
        text = f"`lengths` is the number of steps of each sample, {wanted}, and this is {have}"
        e.report("DL2153", text, place, f"this is {have}", footers=notes)
        return None
    number = lengths.type.dtype
    least = as_tensor(e, Const(1), number, place)
    assert isinstance(least, TypedValue)
    some = apply_op(e, instance.span, "maximum", (lengths, least), {})
    step = apply_op(e, instance.span, "arange", (), {"size": (steps,), "dtype": number})
    step = apply_op(e, instance.span, "expand_dims", (step,), {"axis": 1})
    return apply_op(e, instance.span, "lt", (step, some), {})


def held(e: Context, real: TypedValue, name: str, before: TypedValue, after: TypedValue) -> TypedValue | None:
    """A state after a step that only some samples have, inside the body of the step; None after a report."""
    if after is before:
        return after
    if not _has_samples(e, f"state `{name}`", before, real.type.shape[0]):
        return None
    return apply_op(e, after.span, "where", (_beside(e, real, after), after, before), {})


def cleared(e: Context, real: TypedValue, name: str, output: TypedValue) -> TypedValue | None:
    """An output of all steps, 0 where a sample has none; None after a report."""
    if not _has_samples(e, f"output `{name}`", output, real.type.shape[1], axis=1):
        return None
    zero = as_tensor(e, Const(0), output.type.dtype, output.span)
    assert not isinstance(zero, Failed)
    return apply_op(e, output.span, "where", (_beside(e, real, output), output, zero), {})


def _beside(e: Context, real: TypedValue, value: TypedValue) -> TypedValue:
    """The mask with axes of size 1 for those of a value behind its own."""
    missing = range(real.type.rank, value.type.rank)
    return apply_op(e, real.span, "expand_dims", (real,), {"axis": tuple(missing)}) if missing else real


def _has_samples(e: Context, what: str, value: TypedValue, batch: object, axis: int = 0) -> bool:
    """Whether a value of a step has the samples on its first axis; reports it otherwise."""
    if value.type.rank > axis and value.type.shape[axis] == batch:
        return True
    step = TensorType(value.type.dtype, value.type.shape[axis:])
    e.report_call(
        "DL2154",
        f"`lengths` acts on each sample, and {what} is {step} in a step",
        value.span,
        f"its first axis is not the batch, {batch}",
        footers=[
            Note("states stop and outputs are 0 where a sample has no more steps"),
            Help("give every state and output of the cell the batch as its first axis"),
        ],
    )
    return False
