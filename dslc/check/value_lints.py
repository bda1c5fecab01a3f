"""Lints about what numbers mean: probabilities where logits are meant, ids beyond a table, batches that mix.

Input: the values of a body. Output: diagnostics in the sink, each place once, however often its text was elaborated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dslc.check.ranges import LOG_PROBABILITY, PROBABILITY, SCORE, Holds, holds, ids, moved, written
from dslc.check.typed import TypedValue
from dslc.diagnostics import Diagnostic, Edit, Help, Label, Note, Sink
from dslc.source import Source, Span
from dslc.tensor_type import Dim, Size


def lint_values(source: Source, values: Iterable[TypedValue], sink: Sink) -> None:
    """Look at every value that was written in a file; what stands in the library is not the user's business."""
    for value in values:
        rule = _RULES.get(value.op)
        if rule is None or value.span.source is not source:
            continue
        found = rule(value)
        if found is not None and not sink.has(found.code, found.labels[0].span):
            sink.add(found)


def _found(code: str, message: str, span: Span, label: str, *more: Label, help: Note | Help) -> Diagnostic:
    shown = [known for known in more if known.span.source is span.source]
    return Diagnostic(code, message, (Label(span, label), *shown), (help,))


# ---------------------------------------------------------------------------------------------- what losses take

#: What a loss takes, what it must not get, and the function it applies itself.
_LOGITS = {"cross_entropy": "softmax", "bce_logits": "sigmoid", "perplexity": "softmax", "ctc": "softmax"}


def _logit_loss(loss: TypedValue) -> Diagnostic | None:
    known = holds(loss.inputs[0])
    if known is not None and known.what == PROBABILITY:
        return _twice(loss, known)
    return _beyond_classes(loss) or _rewarded(loss)


def _rewarded(loss: TypedValue) -> Diagnostic | None:
    """Weights of classes below 0."""
    for weights in loss.inputs[2:]:
        lowest = min(written(moved(weights)), default=0)
        if lowest < 0:
            return _found(
                "DL4016",
                f"`{loss.op}` weights a class by {lowest:g}",
                loss.span,
                "the worse its samples are told, the lower this loss",
                help=Help("weights are numbers from 0 on; 0 leaves a class out"),
            )
    return None


def _logits_alone(loss: TypedValue) -> Diagnostic | None:
    known = holds(loss.inputs[0])
    return None if known is None or known.what != PROBABILITY else _twice(loss, known)


def _threshold(metric: TypedValue) -> Diagnostic | None:
    """A metric that counts every probability as an answer."""
    known = holds(metric.inputs[0])
    if known is None or known.what != PROBABILITY or metric.attrs["threshold"] != 0.0:
        return None
    if metric.attrs.get("average", "binary") != "binary":
        return None
    end = Span(metric.span.source, metric.span.end - 1, metric.span.end - 1)
    edits = (Edit(end, ", threshold = 0.5"),) if metric.span.text.endswith(")") else ()
    return _found(
        "DL4011",
        f"`{metric.op}` counts what is at least 0 as an answer, and gets probabilities",
        metric.span,
        "counts all of them",
        Label(known.source.span, "made here"),
        help=Help("probabilities are answers from a half on:", edits),
    )


def _twice(loss: TypedValue, known: Holds) -> Diagnostic:
    applied, squashed = _LOGITS[loss.op], known.source.op
    before = known.source.inputs[0] if known.source.inputs else known.source
    name = before.name if "." not in before.name else ""
    mend = f"give `{loss.op}` the value before `{squashed}`" + (f": `{name}`" if name else "")
    return _found(
        "DL4010",
        f"`{loss.op}` gets probabilities, and applies `{applied}` itself",
        loss.span,
        f"needs the values before `{squashed}`",
        Label(known.source.span, f"`{squashed}` is applied here"),
        help=Help(mend),
    )


def _bce(loss: TypedValue) -> Diagnostic | None:
    known = holds(loss.inputs[0])
    if known is None or known.what == PROBABILITY:
        return None
    return _found(
        "DL4011",
        f"`bce` takes probabilities, and gets {_WORDS[known.what]}",
        loss.span,
        "its logarithm needs numbers between 0 and 1",
        Label(known.source.span, "made here"),
        help=_renamed(loss, "bce", "bce_logits", "`bce_logits` takes logits, and is exact where `bce` rounds:"),
    )


def _nll(loss: TypedValue) -> Diagnostic | None:
    known = holds(loss.inputs[0])
    if known is None or known.what == LOG_PROBABILITY:
        return _beyond_classes(loss) or _rewarded(loss)
    mend = "`nll(log_softmax(x), label)` is `cross_entropy(x, label)`"
    return _found(
        "DL4011",
        f"`nll` takes logarithms of probabilities, and gets {_WORDS[known.what]}",
        loss.span,
        "only picks the numbers of the right classes",
        Label(known.source.span, "made here"),
        help=_renamed(loss, "nll", "cross_entropy", f"{mend}:") if known.what == SCORE else Help(mend),
    )


_WORDS = {PROBABILITY: "probabilities", LOG_PROBABILITY: "logarithms of probabilities", SCORE: "numbers of any size"}


def _renamed(loss: TypedValue, old: str, new: str, text: str) -> Help:
    """A mend that calls another function with the same arguments."""
    place = loss.span
    if not place.text.startswith(f"{old}("):
        return Help(text.rstrip(":"))
    return Help(text, (Edit(Span(place.source, place.start, place.start + len(old)), new),))


def _regression(loss: TypedValue) -> Diagnostic | None:
    """`mse` of scores against one-hot codes."""
    known, target = holds(loss.inputs[0]), moved(loss.inputs[1])
    if known is None or known.what != SCORE or target.op != "one_hot":
        return None
    return _found(
        "DL4012",
        f"`{loss.op}` compares scores with one-hot codes of classes",
        loss.span,
        "learns classes slowly",
        Label(target.span, "one-hot codes"),
        help=Help("`cross_entropy(logits, label)` takes the class ids as they are"),
    )


def _softmax(value: TypedValue) -> Diagnostic | None:
    axis = value.attrs["axis"]
    size = value.inputs[0].type.shape[axis] if isinstance(axis, int) and value.inputs[0].type.rank else 0
    if size != 1:
        return None
    result = "1" if value.op == "softmax" else "0"
    return _found(
        "DL4013",
        f"`{value.op}` over one element is always {result}",
        value.span,
        f"axis {axis} of {value.inputs[0].type} has size 1",
        help=Help("for one probability use `sigmoid`; for classes give the layer before it several units"),
    )


# ---------------------------------------------------------------------------------------------- ids


def _beyond_classes(loss: TypedValue) -> Diagnostic | None:
    if len(loss.inputs) < 2 or loss.inputs[1].type.dtype.is_float:
        return None
    axis = loss.attrs["axis"]
    classes = loss.inputs[0].type.shape[axis] if isinstance(axis, int) else None
    return _beyond(loss, loss.inputs[1], classes, "classes")


def _gather(value: TypedValue) -> Diagnostic | None:
    table, picked = value.inputs
    return _beyond(value, picked, table.type.shape[0], "rows")


def _one_hot(value: TypedValue) -> Diagnostic | None:
    count = value.attrs["classes"]
    return _beyond(value, value.inputs[0], count if isinstance(count, int) else None, "classes")


def _beyond(value: TypedValue, picked: TypedValue, count: Dim | None, what: str) -> Diagnostic | None:
    """Ids that a table has no row for: certainly wrong where they are written out, suspicious where they are computed."""
    known = ids(picked)
    if known is None or not isinstance(count, int) or 0 <= known.low <= known.high < count:
        return None
    written = known.source.op == "constant"
    worst = known.low if known.low < 0 else known.high
    verb = "gets" if written else "can get"
    place = Label(known.source.span, f"ids up to {known.high}" if known.low >= 0 else f"ids from {known.low}")
    return _found(
        "DL2061" if written else "DL4014",
        f"`{value.op}` {verb} the id {worst}, and there are {count} {what}",
        value.span,
        f"takes ids from 0 to {count - 1}",
        *([place] if known.source.span != value.span else []),
        help=Note(f"ids count from 0: {count} {what} have the ids 0 to {count - 1}"),
    )


# ---------------------------------------------------------------------------------------------- batches that mix


def _mixing(value: TypedValue) -> Diagnostic | None:
    """``f32[B, 1] - f32[B]`` is f32[B, B]: every sample meets every other."""
    a, b = value.inputs
    flat, column = (a, b) if a.type.rank < b.type.rank else (b, a)
    shape = column.type.shape
    mixes = flat.type.rank and shape[-1:] == (1,) and shape[:-1] == flat.type.shape and isinstance(shape[-2], Size)
    if not mixes:
        return None
    return _found(
        "DL4015",
        f"{a.type} and {b.type} make {value.type}: every sample meets every other",
        value.span,
        f"this is {value.type}",
        Label(column.span, str(column.type)),
        Label(flat.span, str(flat.type)),
        help=Help("take the axis of size 1 out: `squeeze(..., axis = -1)`"),
    )


_RULES: Mapping[str, Callable[[TypedValue], Diagnostic | None]] = {
    "cross_entropy": _logit_loss,
    "bce_logits": _logit_loss,
    "perplexity": _logit_loss,
    "ctc": _logits_alone,
    "binary_accuracy": _threshold,
    "precision": _threshold,
    "recall": _threshold,
    "f1": _threshold,
    "bce": _bce,
    "nll": _nll,
    "mse": _regression,
    "mae": _regression,
    "huber": _regression,
    "log_cosh": _regression,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "accuracy": _beyond_classes,
    "top_k": _beyond_classes,
    "gather": _gather,
    "one_hot": _one_hot,
    "add": _mixing,
    "sub": _mixing,
    "mul": _mixing,
    "div": _mixing,
    "maximum": _mixing,
    "minimum": _mixing,
}
