"""Connectionist temporal classification: the probability of a sequence of labels that no step of the input is assigned to.

A path gives every step a label or blank; it stands for the labels that are left when repeated ones are taken as one and blanks
are taken out. The loss is the negative logarithm of the sum over all paths of the labels, by the forward recursion in logarithms:
one `scan` over time, all samples and all places of a path at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.ops.ir import Attrs, Builder, Value
from dslc.ops.loss import LOSS_CODE, REDUCTION, reduced
from dslc.ops.opdef import OpDef, OpError, Option
from dslc.ops.rules import check_kind
from dslc.tensor_type import Dim, DType, TensorType

_IMPOSSIBLE = -(2.0**100)  # the logarithm of a probability of 0; sums of several are finite
_IDS = (DType.I32, DType.I64)


def _type(types: tuple[TensorType, ...], attrs: Attrs) -> TensorType:
    logits, labels, *lengths = types
    check_kind("ctc", types[:1], frozenset({DType.F32, DType.F64}))
    if logits.rank != 3:
        raise OpError(f"`ctc` takes logits [batch, time, classes], not {logits}", LOSS_CODE, 0)
    rows, classes = logits.shape[0], logits.shape[2]
    if labels.rank != 2 or labels.shape[0] != rows or labels.dtype not in _IDS:
        raise OpError(f"`ctc` takes a row of class ids for each sample of {logits}, not {labels}", LOSS_CODE, 1)
    for position, given in enumerate(lengths, 2):
        if given.shape != (rows,) or given.dtype not in _IDS:
            raise OpError(f"`ctc` takes a length for each sample of {logits}, not {given}", LOSS_CODE, position)
    blank = attrs.int("blank")
    if blank < 0 or (isinstance(classes, int) and blank >= classes):
        raise OpError(f"`blank` of `ctc` is one of the {classes} classes, not {blank}", "DL2107")
    return TensorType(logits.dtype, (rows,) if attrs["reduction"] == "none" else ())


def _ctc(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
    labels, steps, number = (b.apply("cast", value, dtype=DType.I64) for value in inputs[1:])
    log_p = b.apply("log_softmax", inputs[0], axis=-1)
    path = _path(b, labels, number, attrs.int("blank"), log_p.shape[2])
    likelihood = _likelihood(b, _last(b, log_p, path, steps, attrs.int("blank")), number)
    dtype = log_p.dtype
    possible = b.apply("gt", likelihood, b.constant(_IMPOSSIBLE / 2, dtype))
    otherwise = b.constant(0.0 if attrs.bool("zero_infinity") else float("inf"), dtype)
    losses = b.apply("where", possible, b.apply("neg", likelihood), otherwise)
    if attrs["reduction"] == "mean":
        some = b.apply("maximum", number, b.constant(1, DType.I64))
        losses = b.apply("div", losses, b.apply("cast", some, dtype=dtype))
    return reduced(b, losses, attrs)


def _path(b: Builder, labels: Value, number: Value, blank: int, classes: Dim) -> Value:
    """The labels of every sample with a blank around each: i64[B, 2 L + 1]. Those beyond its own are blank."""
    rows, most = labels.shape
    own = b.apply("lt", b.apply("arange", size=most, dtype=DType.I64), b.apply("expand_dims", number, axis=1))
    labels = b.apply("where", own, labels, b.constant(blank, DType.I64))
    # Looked up in the list of classes, so that another id stops the run.
    labels = b.apply("gather", b.apply("arange", size=classes, dtype=DType.I64), labels)
    blanks = _filled(b, (rows, most), blank, DType.I64)
    pairs = b.apply("reshape", b.apply("stack", blanks, labels, axis=2), sizes=(rows, 2 * most))
    return b.apply("concat", pairs, _filled(b, (rows, 1), blank, DType.I64), axis=1)


def _last(b: Builder, log_p: Value, path: Value, steps: Value, blank: int) -> Value:
    """The logarithms of the probabilities of being at each place of the path after a sample's last step: [B, 2 L + 1]."""
    dtype, (rows, time, _) = log_p.dtype, log_p.shape
    places = path.shape[1]
    front = _filled(b, (rows, 2), _IMPOSSIBLE, dtype)
    before = _cut(b, b.apply("concat", _filled(b, (rows, 2), blank, DType.I64), path, axis=1), 0, places)
    # A blank may be left out between two labels that differ.
    may_skip = b.apply("logical_and", b.apply("ne", path, b.constant(blank, DType.I64)), b.apply("ne", path, before))
    skipping = b.apply("where", may_skip, b.constant(0.0, dtype), b.constant(_IMPOSSIBLE, dtype))
    counted = b.apply("reshape", b.apply("arange", size=time, dtype=DType.I64), sizes=(time, 1, 1))
    live = b.apply("lt", counted, b.apply("expand_dims", steps, axis=1))
    first = (_filled(b, (rows, 1), 0.0, dtype), _filled(b, (rows, places - 1), _IMPOSSIBLE, dtype))

    def step(
        inner: Builder, states: Sequence[Value], elements: Sequence[Value], shared: Sequence[Value]
    ) -> tuple[list[Value], list[Value]]:
        (at,), (emitted, runs), (front, skipping) = states, elements, shared
        moved = inner.apply("concat", front, at, axis=1)
        ways = (at, _cut(inner, moved, 1, places), inner.apply("add", _cut(inner, moved, 0, places), skipping))
        joined = inner.apply("logsumexp", inner.apply("stack", *ways, axis=0), axis=0)
        return [inner.apply("where", runs, inner.apply("add", joined, emitted), at)], []

    start = b.apply("concat", *first, axis=1)
    return b.scan(step, [start], [_emitted(b, log_p, path), live], [front, skipping])[0]


def _emitted(b: Builder, log_p: Value, path: Value) -> Value:
    """What each place of the path gives each step: [T, B, 2 L + 1]."""
    rows, time, classes = log_p.shape
    table = b.apply("reshape", b.apply("transpose", log_p, axes=(0, 2, 1)), sizes=(-1, time))
    row = b.apply("expand_dims", b.apply("arange", size=rows, dtype=DType.I64), axis=1)
    place = b.apply("add", b.apply("mul", row, b.size(classes, DType.I64)), path)
    return b.apply("transpose", b.apply("gather", table, place), axes=(2, 0, 1))


def _likelihood(b: Builder, last: Value, number: Value) -> Value:
    """A path ends with its last label or with the blank behind it."""
    zero, one = b.constant(0, DType.I64), b.constant(1, DType.I64)
    end = b.apply("add", number, number)
    blank = b.apply("pick", last, end, axis=1)
    label = b.apply("pick", last, b.apply("maximum", b.apply("sub", end, one), zero), axis=1)
    label = b.apply("where", b.apply("gt", number, zero), label, b.constant(_IMPOSSIBLE, last.dtype))
    return b.apply("logsumexp", b.apply("stack", blank, label, axis=0), axis=0)


def _filled(b: Builder, sizes: tuple[Dim, ...], value: float, dtype: DType) -> Value:
    return b.apply("full", sizes=sizes, value=value, dtype=dtype)


def _cut(b: Builder, x: Value, start: int, size: Dim) -> Value:
    """So many columns from one on."""
    return b.apply("slice", x, starts=(None, start), stops=(None, size + start), steps=())


CTC = (
    OpDef(
        name="ctc",
        doc="""Connectionist temporal classification: -log of the probability of the labels, whatever steps they fall on.

        logits f32[B, T, C] and class ids i64[B, L]; of each sample the first `steps` of T and the first `number` of L count, both
        i64[B]. Every step gives a class or `blank`; repeated classes are one, and blanks are taken out. Logarithms of probabilities
        do as well as logits. "mean" divides each loss by its number of labels (at least 1) first, as PyTorch does.
        Where no path fits, as `steps` is too short, the loss is infinite, or 0 with ``zero_infinity = true``; its gradient is 0
        both times. Steps beyond T count as T. PyTorch: `F.ctc_loss`, with time first and log-probabilities. Source: Graves and
        others, Connectionist temporal classification, 2006.""",
        example="loss = ctc(net.heard, data.said, data.steps, data.words)",
        infer=_type,
        operands=("logits", "labels", "steps", "number"),
        options=(Option("blank", "int", 0), Option("zero_infinity", "bool", False), REDUCTION),
        decompose=_ctc,
    ),
)
